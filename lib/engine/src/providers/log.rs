//! `log`: writes each value to the run's log, and may send it to its object's sender.

use super::{READABLE, schema};
use crate::component::{Call, Component, Entry, Fault, Make};
use crate::flow::Arrival;
use crate::log::Level;
use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::json;
use tidemill_plan::{Class, Provider};

pub fn entry() -> Entry {
    let declaration = Provider {
        name: "log",
        title: "Log",
        description: "Writes each value as one line of the run's log. A line is cut at 4 KiB, and a run's log is bounded. With \
            `event`, the sender of its object, if it listens, and the task's monitors also get the value at once.",
        class: Class::Sink,
        lanes: READABLE.map(|lane| (lane, vec![])).to_vec(),
        gives: vec![],
        config: schema(
            [
                (
                    "level",
                    json!({
                        "enum": ["debug", "info", "warn", "error"], "default": "info",
                        "description": "The level of the lines.",
                    }),
                ),
                (
                    "event",
                    json!({
                        "type": ["string", "null"], "x-tidemill": "text", "default": null, "minLength": 1, "maxLength": 64,
                        "description": "The type under which listeners get each value, such as `progress`: a JSON object as \
                            it is, anything else as `{\"text\": …}`. Without it they get nothing.",
                    }),
                ),
            ],
            &[],
        ),
        local_only: false,
    };
    let make = Make::Component(|setup| Ok(Box::new(setup.config::<Log>()?)));
    Entry { declaration, make }
}

#[derive(Deserialize)]
struct Log {
    level: Level,
    event: Option<String>,
}

impl Component for Log {
    fn take<'a>(&'a mut self, arrival: Arrival, call: &'a mut Call<'_>) -> BoxFuture<'a, Result<(), Fault>> {
        let logged = arrival.value.as_text().map(|text| call.log(self.level, text));
        if let Some(event) = &self.event {
            call.send(event, &arrival.value);
        }
        Box::pin(std::future::ready(logged))
    }
}

#[cfg(test)]
mod tests {
    use crate::providers::testing::{Bench, nodes};
    use crate::{EventKind, Input, Level};
    use serde_json::json;
    use tidemill_model::task::Trace;

    #[tokio::test]
    async fn values_become_lines_without_secrets() {
        let plan = nodes(&[("webhook", json!({}), "text"), ("log", json!({ "level": "warn" }), "")]);
        let bench = Bench::new().secret("TOKEN", "s3cret-value").input(Input::new("text/plain", "got s3cret-value"));

        let end = bench.run(&plan).await.unwrap();

        assert_eq!(end.log.len(), 1);
        assert_eq!((end.log[0].level, end.log[0].message.as_str()), (Level::Warn, "got <TOKEN>"));
        assert_eq!(end.log[0].component.as_deref(), Some("log_1"));
    }

    #[tokio::test]
    async fn a_long_line_is_cut() {
        let plan = nodes(&[("webhook", json!({}), "text"), ("log", json!({}), "")]);

        let end = Bench::new().input(Input::new("text/plain", "é".repeat(5_000))).run(&plan).await.unwrap();

        assert!(end.log[0].message.len() <= 4_100 && end.log[0].message.ends_with('…'));
    }

    #[tokio::test]
    async fn values_are_sent_under_their_event_without_secrets() {
        let log = json!({ "event": "progress" });
        let message = async |lane: &str, mime: &str, body: &str| {
            let plan = nodes(&[("webhook", json!({}), lane), ("log", log.clone(), "")]);
            let bench = Bench::new().secret("TOKEN", "s3cret-value").input(Input::new(mime, body.to_owned()));
            bench.run(&plan).await.unwrap().traced.events.remove(0).what
        };

        let expected = |data| EventKind::Message { kind: "progress".into(), data };
        assert_eq!(message("text", "text/plain", "got s3cret-value").await, expected(json!({ "text": "got <TOKEN>" })));
        let document = r#"{"step": 2, "key": "s3cret-value"}"#;
        assert_eq!(
            message("documents", "application/json", document).await,
            expected(json!({ "step": 2, "key": "<TOKEN>" }))
        );
    }

    #[tokio::test]
    async fn a_trace_holds_as_much_as_its_level_says() {
        let plan = nodes(&[("webhook", json!({}), "text"), ("log", json!({}), "")]);
        let text = format!("s3cret-value {}", "x".repeat(20_000));
        let traced = async |level| {
            let bench = Bench::new().secret("TOKEN", "s3cret-value").input(Input::new("text/plain", text.clone()));
            bench.trace(level).run(&plan).await.unwrap().traced.events
        };

        assert!(traced(Trace::None).await.is_empty());
        let metadata = traced(Trace::Metadata).await;
        assert!(matches!(&metadata[0].what, EventKind::Enter { data: None, .. }), "{metadata:?}");
        assert!(
            matches!(&metadata[1].what, EventKind::Leave { error: None, .. }) && metadata.len() == 2,
            "{metadata:?}"
        );
        for (level, least, most) in [(Trace::Summary, 1_000, 1_100), (Trace::Full, 16_000, 16_500)] {
            let events = traced(level).await;
            let EventKind::Enter { data: Some(data), .. } = &events[0].what else { panic!("{events:?}") };
            let shown = data["text"].as_str().unwrap();
            assert!(shown.starts_with("<TOKEN>") && (least..most).contains(&shown.len()), "{}", shown.len());
            assert_eq!(data["bytes"], 20_013);
        }
    }
}

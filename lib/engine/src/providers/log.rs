//! `log`: writes each value to the run's log.

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
        description: "Writes each value as one line of the run's log. A line is cut at 4 KiB, and a run's log is bounded.",
        class: Class::Sink,
        lanes: READABLE.map(|lane| (lane, vec![])).to_vec(),
        gives: vec![],
        config: schema(
            [(
                "level",
                json!({
                    "enum": ["debug", "info", "warn", "error"], "default": "info", "description": "The level of the lines.",
                }),
            )],
            &[],
        ),
        local_only: false,
    };
    let make = Make::Component(|setup| Ok(Box::new(setup.config::<Log>()?)));
    Entry { declaration, make }
}

#[derive(Deserialize)]
struct Log {
    #[serde(default = "info")]
    level: Level,
}

fn info() -> Level {
    Level::Info
}

impl Component for Log {
    fn take<'a>(&'a mut self, arrival: Arrival, call: &'a mut Call<'_>) -> BoxFuture<'a, Result<(), Fault>> {
        let logged = arrival.value.as_text().map(|text| call.log(self.level, text));
        Box::pin(std::future::ready(logged))
    }
}

#[cfg(test)]
mod tests {
    use crate::providers::testing::{Bench, nodes};
    use crate::{Input, Level};
    use serde_json::json;

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
}

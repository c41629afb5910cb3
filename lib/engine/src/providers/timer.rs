//! `timer`: one object per run that says for which time the run is.

use super::schema;
use crate::component::{Call, Entry, Fault, Make, Run, Source};
use crate::json::{self, Json};
use crate::object::Object;
use crate::value::Value;
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde_json::{Value as Tree, json};
use std::sync::Arc;
use tidemill_model::ids::RunId;
use tidemill_model::lane::Lane;
use tidemill_plan::{Class, Provider};

pub fn entry() -> Entry {
    let declaration = Provider {
        name: "timer",
        title: "Timer",
        description: "Starts the pipeline with one object: `{scheduled, previous, trigger}`, times in RFC 3339. For a \
            scheduled run, `scheduled` is the tick's time, however late the run is, and `previous` the tick before it. \
            For any other run, `scheduled` is the time at which the run was asked for and `previous` is null unless \
            known. A retry sees the same times. On the lane `text` the object is just the `scheduled` time.",
        class: Class::Source,
        lanes: vec![],
        gives: vec![Lane::Documents, Lane::Text],
        config: schema([], &[]),
        local_only: false,
    };
    let make = Make::Source(|setup| Ok(Box::new(Timer { taken: setup.state::<bool>()?.unwrap_or(false) })));
    Entry { declaration, make }
}

struct Timer {
    taken: bool,
}

impl Source for Timer {
    fn pull<'a>(&'a mut self, call: &'a mut Call<'_>) -> BoxFuture<'a, Result<bool, Fault>> {
        Box::pin(async move {
            if std::mem::replace(&mut self.taken, true) {
                return Ok(false);
            }
            let facts = &call.run.context.run;
            let scheduled = scheduled(call.run).map(|time| time.to_string());
            let id = scheduled.clone().unwrap_or_else(|| format!("{}:0", facts.run_id));
            let object = Arc::new(Object::new(id));
            let time = |time: Option<String>| time.map_or(Json::Null, |time| json::string(&time));
            let document = json::object([
                ("scheduled", time(scheduled.clone())),
                ("previous", time(facts.previous_tick.map(|time| time.to_string()))),
                ("trigger", json::string(&facts.trigger)),
            ]);
            call.emit_on(Lane::Documents, &object, Value::Json(document))?;
            call.emit_on(Lane::Text, &object, Value::text(scheduled.unwrap_or_default()))?;
            Ok(true)
        })
    }

    fn state(&self) -> Tree {
        json!(self.taken)
    }
}

/// The tick's time, or else the time that the run's id holds, to the second: both are the same in every attempt.
fn scheduled(run: &Run) -> Option<Timestamp> {
    let facts = &run.context.run;
    let made_at = || RunId::parse(facts.run_id.as_str()).ok().map(|id| id.made_at());
    let time = facts.tick.or_else(made_at)?;
    Timestamp::from_second(time.as_second()).ok()
}

#[cfg(test)]
mod tests {
    use crate::providers::testing::{Bench, nodes};
    use serde_json::json;

    #[tokio::test]
    async fn a_scheduled_run_sees_its_tick() {
        let plan = nodes(&[("timer", json!({}), "documents"), ("response", json!({}), "")]);
        let mut bench = Bench::new();
        bench.context.run.tick = Some("2026-03-01T06:00:00Z".parse().unwrap());
        bench.context.run.previous_tick = Some("2026-02-28T06:00:00Z".parse().unwrap());
        bench.context.run.trigger = "schedule".to_owned();

        let result = bench.run(&plan).await.unwrap().result;

        let expected =
            json!({ "scheduled": "2026-03-01T06:00:00Z", "previous": "2026-02-28T06:00:00Z", "trigger": "schedule" });
        assert_eq!(result["documents"], json!([expected]));
    }

    #[tokio::test]
    async fn a_manual_run_sees_when_it_was_asked_for() {
        let plan = nodes(&[("timer", json!({}), "text"), ("response", json!({}), "")]);
        let mut bench = Bench::new();
        let at = "2026-03-01T06:07:08.9Z".parse().unwrap();
        bench.context.run.run_id = tidemill_model::ids::RunId::new(at, 7).to_string();

        let result = bench.run(&plan).await.unwrap().result;

        assert_eq!(result["text"], json!(["2026-03-01T06:07:08Z\n\n"]));
    }
}

//! `filter`: lets through the values for which a jq condition is true.

use super::on_error::{self, OnError};
use super::schema;
use crate::component::{Call, Component, Entry, Fault, Make};
use crate::flow::Arrival;
use crate::jq::{self, Program};
use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::json;
use tidemill_model::lane::Lane;
use tidemill_plan::{Class, Provider};

pub fn entry() -> Entry {
    use Lane::*;
    let declaration = Provider {
        name: "filter",
        title: "Filter",
        description: "Lets a value through, unchanged and on the same lane, if a jq condition gives true for it: \
            anything but null, false or nothing at all.",
        class: Class::Transform,
        lanes: [Text, Documents, Questions, Answers, Table, Tags, Audio, Video, Image]
            .map(|lane| (lane, vec![lane]))
            .to_vec(),
        gives: vec![],
        config: schema(
            [
                (
                    "where",
                    json!({
                        "type": "string", "minLength": 1, "x-tidemill": "jq",
                        "description": "The jq condition, e.g. `.level == \"error\"`. It sees the value as `.`, its object as `$object` and the run as `$run`.",
                    }),
                ),
                ("on_error", on_error::schema("stops the value, as a condition that gives null")),
            ],
            &["where"],
        ),
        local_only: false,
    };
    let make = Make::Component(|setup| {
        let config: Config = setup.config()?;
        let condition = setup.program("where", &config.condition)?;
        Ok(Box::new(Filter { condition, on_error: config.on_error }))
    });
    Entry { declaration, make }
}

#[derive(Deserialize)]
struct Config {
    #[serde(rename = "where")]
    condition: String,
    on_error: OnError,
}

struct Filter {
    condition: Program,
    on_error: OnError,
}

impl Component for Filter {
    fn take<'a>(&'a mut self, arrival: Arrival, call: &'a mut Call<'_>) -> BoxFuture<'a, Result<(), Fault>> {
        let stop = |call: &mut Call<'_>| {
            call.filtered();
            Ok(())
        };
        let look = |call: &mut Call<'_>| {
            let answer = self.condition.first(&arrival.value, &arrival.object, call.run)?;
            match answer.is_some_and(|answer| jq::is_true(&answer)) {
                true => call.emit(&arrival.object, arrival.value),
                false => stop(call),
            }
        };
        let passed = self.on_error.guard(call, "`where` failed", look, stop);
        Box::pin(std::future::ready(passed))
    }
}

#[cfg(test)]
mod tests {
    use crate::Input;
    use crate::providers::testing::{Bench, nodes};
    use serde_json::json;

    #[tokio::test]
    async fn only_what_is_true_passes_and_the_rest_is_counted() {
        let plan = nodes(&[
            ("webhook", json!({}), "documents"),
            ("json", json!({ "program": ".[]" }), "documents"),
            ("filter", json!({ "where": "select(. != 0) | . > 1 or . == \"x\"" }), "documents"),
            ("response", json!({}), ""),
        ]);

        let input = Input::new("application/json", r#"[0, 1, 2.50, "x"]"#);
        let end = Bench::new().input(input).run(&plan).await.unwrap();

        assert_eq!(end.result["documents"], json!([2.5, "x"]));
        assert_eq!(end.counted("filter_2"), (4, 2, 2, String::new()));
    }

    #[tokio::test]
    async fn a_condition_that_fails_ends_the_run_drops_the_value_or_stops_it() {
        let run = async |on_error: &str| {
            let plan = nodes(&[
                ("webhook", json!({}), "documents"),
                ("json", json!({ "program": ".[]" }), "documents"),
                ("filter", json!({ "where": ".n > 1", "on_error": on_error }), "documents"),
                ("response", json!({}), ""),
            ]);
            let input = Input::new("application/json", r#"[{"n":1}, {"n":2}, "s3cret-key", {"n":3}]"#);
            Bench::new().secret("KEY", "s3cret-key").input(input).run(&plan).await
        };

        let failed = run("fail").await.unwrap_err();
        let (skipped, stopped) = (run("skip").await.unwrap(), run("null").await.unwrap());

        let shown = "`where` failed at the object `run-1:0` for the value `\"<KEY>\"`: ";
        assert!(failed.message.starts_with(shown) && !failed.message.contains("s3cret"), "{}", failed.message);
        assert_eq!(skipped.result["documents"], json!([{ "n": 2 }, { "n": 3 }]));
        assert_eq!(skipped.counted("filter_2"), (4, 2, 1, "1: `where` failed".to_owned()));
        assert!(skipped.log[0].message.starts_with(&format!("skipped: {shown}")), "{}", skipped.log[0].message);
        assert_eq!(stopped.counted("filter_2"), (4, 2, 2, String::new()));
    }
}

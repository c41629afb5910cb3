//! `json`: reshapes values with a jq program.

use super::on_error::{self, OnError};
use super::schema;
use crate::component::{Call, Component, Entry, Fault, Make};
use crate::flow::Arrival;
use crate::jq::Program;
use crate::json;
use crate::value::Value;
use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::json;
use tidemill_model::lane::Lane;
use tidemill_plan::{Class, Provider};

pub fn entry() -> Entry {
    use Lane::*;
    let declaration = Provider {
        name: "json",
        title: "JSON",
        description: "Reshapes each value with a jq program. The program sees the value as `.` (text as a string), its \
            object as `$object` and the run as `$run`; each value that it gives is passed on. On the lane `text`, JSON is \
            written compactly and strings as they are; on `documents`, text is parsed.",
        class: Class::Transform,
        lanes: vec![
            (Documents, vec![Documents, Text, Table, Questions]),
            (Text, vec![Text, Documents, Table, Questions]),
            (Tags, vec![Tags, Text, Documents]),
            (Questions, vec![Questions, Text, Documents, Answers]),
            (Answers, vec![Answers, Text, Documents]),
            (Table, vec![Table, Text, Documents]),
        ],
        gives: vec![],
        config: schema(
            [
                (
                    "program",
                    json!({
                        "type": "string", "minLength": 1, "x-tidemill": "jq",
                        "description": "The jq program, e.g. `.items[] | {id, title}`. It may give no value, one or many (at most 10,000 for one object).",
                    }),
                ),
                ("on_error", on_error::schema("passes null")),
            ],
            &["program"],
        ),
        local_only: false,
    };
    let make = Make::Component(|setup| {
        let config: Config = setup.config()?;
        let program = setup.program("program", &config.program)?;
        Ok(Box::new(Json { program, on_error: config.on_error }))
    });
    Entry { declaration, make }
}

#[derive(Deserialize)]
struct Config {
    program: String,
    on_error: OnError,
}

struct Json {
    program: Program,
    on_error: OnError,
}

impl Component for Json {
    fn take<'a>(&'a mut self, arrival: Arrival, call: &'a mut Call<'_>) -> BoxFuture<'a, Result<(), Fault>> {
        let give = |call: &mut Call<'_>| {
            let outputs = self.program.run(&arrival.value, &arrival.object, call.run)?;
            if outputs.is_empty() {
                call.filtered();
            }
            outputs.into_iter().try_for_each(|output| call.emit(&arrival.object, Value::Json(output)))
        };
        let null = |call: &mut Call<'_>| call.emit(&arrival.object, Value::Json(json::Json::Null));
        let emitted = self.on_error.guard(call, "`program` failed", give, null);
        Box::pin(std::future::ready(emitted))
    }
}

#[cfg(test)]
mod tests {
    use crate::Input;
    use crate::providers::testing::{Bench, nodes};
    use serde_json::json;

    #[tokio::test]
    async fn each_output_goes_on_as_a_value() {
        let plan = nodes(&[
            ("webhook", json!({}), "documents"),
            ("json", json!({ "program": ".items[] | .n + 1, \"is \\(.n)\"" }), "text"),
            ("response", json!({}), ""),
        ]);

        let input = Input::new("application/json", r#"{"items":[{"n":1},{"n":2}]}"#);
        let result = Bench::new().input(input).run(&plan).await.unwrap().result;

        assert_eq!(result["text"], json!(["2\n\nis 1\n\n3\n\nis 2\n\n"]));
    }

    #[tokio::test]
    async fn a_value_for_which_the_program_gives_nothing_is_counted() {
        let plan = nodes(&[
            ("webhook", json!({}), "documents"),
            ("json", json!({ "program": ".[]" }), "documents"),
            ("json", json!({ "program": "select(. > 1), select(. > 2)" }), "documents"),
            ("response", json!({}), ""),
        ]);

        let end = Bench::new().input(Input::new("application/json", "[1,2,3]")).run(&plan).await.unwrap();

        assert_eq!(end.counted("json_2"), (3, 3, 1, String::new()));
    }

    #[tokio::test]
    async fn a_failing_program_names_the_component() {
        let plan = nodes(&[
            ("webhook", json!({}), "text"),
            ("json", json!({ "program": ".a" }), "text"),
            ("response", json!({}), ""),
        ]);

        let error = Bench::new().input(Input::new("text/plain", "x")).run(&plan).await.unwrap_err();

        assert_eq!(error.component.as_deref(), Some("json_1"));
        assert!(error.message.contains("cannot index"), "{}", error.message);
    }

    #[tokio::test]
    async fn a_program_that_fails_gives_all_of_its_values_or_none() {
        let run = async |on_error: &str| {
            let plan = nodes(&[
                ("webhook", json!({}), "documents"),
                ("json", json!({ "program": ".[]" }), "documents"),
                ("json", json!({ "program": ".a, .b.c", "on_error": on_error }), "documents"),
                ("response", json!({}), ""),
            ]);
            let input = Input::new("application/json", r#"[{"a":1,"b":{"c":2}}, {"a":3,"b":4}, {"a":5}]"#);
            Bench::new().input(input).run(&plan).await
        };

        let failed = run("fail").await.unwrap_err();
        let (skipped, nulled) = (run("skip").await.unwrap(), run("null").await.unwrap());

        assert!(failed.message.contains(r#"for the value `{"a":3,"b":4}`: "#), "{}", failed.message);
        assert!(failed.hint.unwrap().contains("`on_error`"));
        assert_eq!(skipped.result["documents"], json!([1, 2, 5, null]));
        assert_eq!(skipped.counted("json_2"), (3, 4, 0, "1: `program` failed".to_owned()));
        assert_eq!(nulled.result["documents"], json!([1, 2, null, 5, null]));
        assert_eq!(nulled.counted("json_2"), (3, 5, 0, String::new()));
    }
}

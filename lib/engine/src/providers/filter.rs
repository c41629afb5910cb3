//! `filter`: lets through the values for which a jq condition is true.

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
            [(
                "where",
                json!({
                    "type": "string", "minLength": 1,
                    "description": "The jq condition, e.g. `.level == \"error\"`. It sees the value as `.`, its object as `$object` and the run as `$run`.",
                }),
            )],
            &["where"],
        ),
        local_only: false,
    };
    let make = Make::Component(|setup| {
        let config: Config = setup.config()?;
        Ok(Box::new(Filter { condition: Program::compile("where", &config.condition)? }))
    });
    Entry { declaration, make }
}

#[derive(Deserialize)]
struct Config {
    #[serde(rename = "where")]
    condition: String,
}

struct Filter {
    condition: Program,
}

impl Component for Filter {
    fn take<'a>(&'a mut self, arrival: Arrival, call: &'a mut Call<'_>) -> BoxFuture<'a, Result<(), Fault>> {
        let passed = self.condition.first(&arrival.value, &arrival.object, call.run).and_then(|answer| {
            if answer.is_some_and(|answer| jq::is_true(&answer)) {
                return call.emit(&arrival.object, arrival.value);
            }
            call.filtered();
            Ok(())
        });
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
}

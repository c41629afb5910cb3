//! `changed`: lets a value through if it differs from the last one with the same key, also across runs.

use super::memory::{self, Memory};
use super::schema;
use crate::component::{Entry, Make};
use serde::Deserialize;
use serde_json::json;
use tidemill_model::lane::Lane;
use tidemill_plan::{Class, Provider};

pub fn entry() -> Entry {
    use Lane::*;
    let declaration = Provider {
        name: "changed",
        title: "Changed",
        description: "Lets a value through, unchanged and on the same lane, if it differs from the last value with the same \
            key, in this run or in an earlier one: of `ok`, `ok`, `down`, `ok` the first, the third and the fourth. The first value \
            of a key passes, and so does a value without a key.",
        class: Class::Transform,
        lanes: [Text, Documents, Questions, Answers, Table, Tags].map(|lane| (lane, vec![lane])).to_vec(),
        gives: vec![],
        config: schema(
            [
                (
                    "key",
                    json!({
                        "type": "string", "minLength": 1, "x-tidemill": "jq",
                        "description": "A jq program that gives the key, e.g. `.service`, or `\"all\"` to compare every value with the one before. Where it gives null or nothing, the value has no key.",
                    }),
                ),
                (
                    "value",
                    json!({
                        "type": "string", "minLength": 1, "x-tidemill": "jq", "default": ".",
                        "description": "A jq program that gives what is compared, e.g. `.status`. Without it the whole value is.",
                    }),
                ),
                (
                    "expires",
                    memory::expires(
                        "How long the last value of a key is remembered after it came; then the next one passes",
                    ),
                ),
            ],
            &["key"],
        ),
        local_only: false,
    };
    let make = Make::Component(|setup| {
        let config: Config = setup.config()?;
        let (key, value) = (setup.program("key", &config.key)?, setup.program("value", &config.value)?);
        Ok(Box::new(Memory::new(key, &config.expires, Some(value))?))
    });
    Entry { declaration, make }
}

#[derive(Deserialize)]
struct Config {
    key: String,
    value: String,
    expires: String,
}

#[cfg(test)]
mod tests {
    use crate::providers::testing::{Bench, nodes};
    use crate::{Budget, Input};
    use serde_json::{Value as Tree, json};

    fn plan() -> tidemill_plan::Plan {
        nodes(&[
            ("webhook", json!({}), "documents"),
            ("json", json!({ "program": ".[]" }), "documents"),
            ("changed", json!({ "key": ".of", "value": ".is" }), "documents"),
            ("json", json!({ "program": "\"\\(.of) \\(.is)\"" }), "text"),
            ("response", json!({}), ""),
        ])
    }

    fn states(states: &[(&str, &str)]) -> Input {
        let list: Vec<Tree> = states.iter().map(|(of, is)| json!({ "of": of, "is": is, "at": "any time" })).collect();
        Input::new("application/json", Tree::Array(list).to_string())
    }

    #[tokio::test]
    async fn a_value_passes_when_it_differs_from_the_last_of_its_key_also_across_runs() {
        let given = [("a", "ok"), ("b", "ok"), ("a", "ok"), ("a", "down"), ("a", "down"), ("b", "ok"), ("a", "ok")];
        let mut bench = Bench::new().input(states(&given));

        let first = bench.run(&plan()).await.unwrap();
        bench = bench.input(states(&[("a", "ok"), ("a", "down"), ("b", "down"), ("a", "ok")]));
        let second = bench.run(&plan()).await.unwrap();

        assert_eq!(first.result["text"], json!(["a ok\n\nb ok\n\na down\n\na ok\n\n"]));
        assert_eq!(second.result["text"], json!(["a down\n\nb down\n\na ok\n\n"]));
        assert_eq!(first.counted("changed_2"), (7, 4, 3, String::new()));
        assert_eq!(first.new_keys.len(), 2, "a step saves each key once");
    }

    #[tokio::test]
    async fn a_value_without_a_key_passes() {
        let input = Input::new("application/json", r#"[{"is":"ok"},{"is":"ok"},{"of":null,"is":"ok"}]"#);

        let end = Bench::new().input(input).run(&plan()).await.unwrap();

        assert_eq!(end.counted("changed_2"), (3, 3, 0, String::new()));
    }

    #[tokio::test]
    async fn steps_of_few_keys_see_the_values_of_the_steps_before() {
        let names: Vec<String> = (0..30).map(|n| format!("n{}", n % 6)).collect();
        let given: Vec<(&str, &str)> =
            names.iter().enumerate().map(|(n, name)| (name.as_str(), ["up", "down"][n / 12 % 2])).collect();
        let budget = Budget { new_keys: 2, ..Budget::default() };

        let end = Bench::new().input(states(&given)).run_within(&plan(), &budget).await.unwrap();

        // Six begin as up, go down, and come up again.
        assert_eq!(end.counted("changed_2"), (30, 18, 12, String::new()));
        assert!(end.most_new_keys <= 2 && end.steps >= 9, "{} steps", end.steps);
    }
}

//! `dedupe`: lets each key through once, also across runs.

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
        name: "dedupe",
        title: "Dedupe",
        description: "Lets a value through, unchanged and on the same lane, unless a value with the same key went \
            through before, in this run or in an earlier one. Keys are forgotten after some time. A value without a key passes.",
        class: Class::Transform,
        lanes: [Text, Documents, Questions, Answers, Table, Tags].map(|lane| (lane, vec![lane])).to_vec(),
        gives: vec![],
        config: schema(
            [
                (
                    "key",
                    json!({
                        "type": "string", "minLength": 1, "x-tidemill": "jq", "default": ".",
                        "description": "A jq program that gives the key, e.g. `.id`. Without it the whole value is the key. Where it gives null or nothing, the value has no key.",
                    }),
                ),
                ("expires", memory::expires("How long a key is remembered")),
            ],
            &[],
        ),
        local_only: false,
    };
    let make = Make::Component(|setup| {
        let config: Config = setup.config()?;
        Ok(Box::new(Memory::new(setup.program("key", &config.key)?, &config.expires, None)?))
    });
    Entry { declaration, make }
}

#[derive(Deserialize)]
struct Config {
    key: String,
    expires: String,
}

#[cfg(test)]
mod tests {
    use crate::providers::testing::{Bench, nodes};
    use crate::{Budget, Input};
    use serde_json::json;
    use std::time::Duration;

    fn plan() -> tidemill_plan::Plan {
        nodes(&[
            ("webhook", json!({}), "documents"),
            ("json", json!({ "program": ".[]" }), "documents"),
            ("dedupe", json!({ "key": ".id", "expires": "2h" }), "documents"),
            ("response", json!({}), ""),
        ])
    }

    #[tokio::test]
    async fn a_key_passes_once_within_a_run_and_across_runs() {
        let mut bench = Bench::new().input(Input::new("application/json", r#"[{"id":1},{"id":2},{"id":1,"x":0}]"#));

        let first = bench.run(&plan()).await.unwrap();
        bench = bench.input(Input::new("application/json", r#"[{"id":2},{"id":"2"}]"#));
        let second = bench.run(&plan()).await.unwrap();

        assert_eq!(first.result["documents"], json!([{ "id": 1 }, { "id": 2 }]));
        assert_eq!(second.result["documents"], json!([{ "id": "2" }]));
        assert_eq!(first.counted("dedupe_2"), (3, 2, 1, String::new()));
        assert_eq!(first.new_keys[0].expires, Duration::from_secs(7_200));
    }

    #[tokio::test]
    async fn one_object_may_make_more_keys_than_a_step_may_save() {
        let items: Vec<_> = (0..230).map(|id| json!({ "id": id % 200 })).collect();
        let bench = Bench::new().input(Input::new("application/json", serde_json::to_string(&items).unwrap()));
        let budget = Budget { new_keys: 50, ..Budget::default() };

        let end = bench.run_within(&plan(), &budget).await.unwrap();

        assert_eq!(end.result["documents"].as_array().unwrap().len(), 200);
        assert!(end.steps >= 4, "{}", end.steps);
        assert!(end.most_new_keys <= 50);
    }

    #[tokio::test]
    async fn a_key_is_saved_no_sooner_than_its_value_has_come_to_the_end() {
        let items: Vec<_> = (0..40).map(|id| json!({ "id": id })).collect();
        let bench = Bench::new().input(Input::new("application/json", serde_json::to_string(&items).unwrap()));

        let seen = bench.keys_beside_arrivals(&plan(), usize::MAX).await.unwrap();

        assert!(seen.iter().all(|(keys, arrived)| *keys as u64 <= *arrived), "{seen:?}");
        assert_eq!(seen.last(), Some(&(40, 40)));
        assert!(seen.iter().any(|(keys, arrived)| (*keys as u64) < *arrived), "some step ends between: {seen:?}");
    }

    #[tokio::test]
    async fn a_run_that_is_asked_to_end_leaves_no_value_between_its_key_and_the_end() {
        let items: Vec<_> = (0..40).map(|id| json!({ "id": id })).collect();
        let bench = Bench::new().input(Input::new("application/json", serde_json::to_string(&items).unwrap()));

        // One value of the first batch has come to the end, and 31 wait before it.
        let seen = bench.keys_beside_arrivals(&plan(), 4).await.unwrap();

        assert_eq!(seen[3..], [(0, 1), (32, 32)], "what came in is through, and nothing new came: {seen:?}");
    }

    #[tokio::test]
    async fn values_without_a_key_are_no_duplicates_of_each_other() {
        let notes = r#"[{"note":"first"},{"note":"second"},{"id":null},{"id":1},{"id":1}]"#;

        let end = Bench::new().input(Input::new("application/json", notes)).run(&plan()).await.unwrap();

        let passed = json!([{ "note": "first" }, { "note": "second" }, { "id": null }, { "id": 1 }]);
        assert_eq!(end.result["documents"], passed);
        assert_eq!((end.counted("dedupe_2"), end.new_keys.len()), ((5, 4, 1, String::new()), 1));
    }
}

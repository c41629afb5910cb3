//! `response` and `response_<lane>`: collect values into the result that the caller gets.

use super::schema;
use crate::component::{Call, Component, Entry, Fault, Make};
use crate::flow::Arrival;
use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::json;
use tidemill_model::lane::Lane;
use tidemill_plan::{Class, Provider};

/// One provider for all lanes, and one for each.
pub fn entries() -> Vec<Entry> {
    use Lane::*;
    vec![
        entry("response", "Response", vec![Text, Table, Documents, Questions, Answers, Audio, Video, Image]),
        entry("response_text", "Response: text", vec![Text]),
        entry("response_table", "Response: table", vec![Table]),
        entry("response_documents", "Response: documents", vec![Documents]),
        entry("response_questions", "Response: questions", vec![Questions]),
        entry("response_answers", "Response: answers", vec![Answers]),
        entry("response_audio", "Response: audio", vec![Audio]),
        entry("response_video", "Response: video", vec![Video]),
        entry("response_image", "Response: image", vec![Image]),
    ]
}

fn entry(name: &'static str, title: &'static str, lanes: Vec<Lane>) -> Entry {
    let names: Vec<_> = lanes.iter().map(|lane| lane.as_str()).collect();
    let declaration = Provider {
        name,
        title,
        description: "Collects what arrives into the run's result, which the caller gets: each lane under its own key. \
            A result holds at most 6 MB.",
        class: Class::Sink,
        config: schema(
            [
                (
                    "laneName",
                    json!({
                        "type": ["string", "null"], "x-tidemill": "text", "default": null,
                        "description": "The key for everything that arrives here. Without it, the key is the lane's name.",
                    }),
                ),
                (
                    "lanes",
                    json!({
                        "type": "array", "default": [],
                        "description": "Keys for single lanes; the others keep their names.",
                        "items": {
                            "type": "object",
                            "properties": {
                                "laneId": { "enum": names, "description": "The lane." },
                                "laneName": { "type": "string", "minLength": 1, "x-tidemill": "text", "description": "Its key." },
                            },
                            "required": ["laneId", "laneName"],
                        },
                    }),
                ),
            ],
            &[],
        ),
        lanes: lanes.into_iter().map(|lane| (lane, vec![])).collect(),
        gives: vec![],
        local_only: false,
    };
    Entry { declaration, make: Make::Component(|setup| Ok(Box::new(setup.config::<Response>()?))) }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    lane_name: Option<String>,
    lanes: Vec<Key>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Key {
    lane_id: Lane,
    lane_name: String,
}

impl Response {
    fn key(&self, lane: Lane) -> &str {
        let own = || self.lanes.iter().find(|key| key.lane_id == lane).map(|key| key.lane_name.as_str());
        self.lane_name.as_deref().filter(|name| !name.is_empty()).or_else(own).unwrap_or(lane.as_str())
    }
}

impl Component for Response {
    fn take<'a>(&'a mut self, arrival: Arrival, call: &'a mut Call<'_>) -> BoxFuture<'a, Result<(), Fault>> {
        let written = call.ledger.results.write(self.key(arrival.lane), arrival.lane, &arrival.value);
        Box::pin(std::future::ready(written))
    }
}

#[cfg(test)]
mod tests {
    use crate::Input;
    use crate::providers::testing::{Bench, nodes};
    use serde_json::{Value as Tree, json};

    async fn result(input: Input, lane: &'static str, config: Tree) -> Tree {
        let plan = nodes(&[("webhook", json!({}), lane), ("response", config, "")]);
        Bench::new().input(input).run(&plan).await.unwrap().result
    }

    #[tokio::test]
    async fn keys_and_shapes_are_those_of_rocketride() {
        let text = || Input::new("text/plain", "Hello ");
        assert_eq!(
            result(text(), "text", json!({ "lanes": [] })).await,
            json!({ "text": ["Hello \n\n"], "result_types": { "text": "text" } })
        );
        assert_eq!(
            result(text(), "text", json!({ "laneName": "out" })).await,
            json!({ "out": ["Hello \n\n"], "result_types": { "out": "text" } })
        );
        let keys = json!({ "lanes": [{ "laneId": "documents", "laneName": "docs" }] });
        assert_eq!(
            result(Input::new("application/json", r#"{"a":1}"#), "documents", keys).await,
            json!({ "docs": [{ "a": 1 }], "result_types": { "docs": "documents" } })
        );
        assert_eq!(
            result(Input::new("image/png", vec![1u8, 255]), "image", json!({})).await["image"],
            json!([{ "mime_type": "image/png", "image": "Af8=" }])
        );
    }

    #[tokio::test]
    async fn nothing_that_arrives_leaves_the_result_empty() {
        assert_eq!(result(Input::new("application/octet-stream", vec![0xffu8]), "text", json!({})).await, json!({}));
    }

    #[tokio::test]
    async fn a_large_result_is_refused_with_the_limit() {
        let plan = nodes(&[
            ("webhook", json!({}), "text"),
            ("json", json!({ "program": "., ." }), "text"),
            ("response", json!({}), ""),
        ]);

        let error = Bench::new().input(Input::new("text/plain", "x".repeat(3_500_000))).run(&plan).await.unwrap_err();

        assert!(error.message.contains("6000000 bytes"), "{}", error.message);
    }
}

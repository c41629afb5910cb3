//! The catalogue of providers.

use serde_json::{Value, json};
use tidemill_model::key::Scope;
use tidemill_testing::TestPlane;

#[tokio::test]
async fn every_provider_says_what_it_does_takes_and_gives() {
    let world = TestPlane::new().await;
    let looker = world.user_with("ana", &[Scope::Monitor]).await;

    let list = looker.get("/v1/providers").await.ok();

    assert_eq!(list["next"], Value::Null);
    let providers = list["items"].as_array().unwrap();
    for provider in providers {
        let name = provider["name"].as_str().unwrap();
        assert!(provider["description"].as_str().unwrap().len() > 20, "{name}");
        assert_eq!(provider["config"]["type"], "object", "{name}");
        let is_source = provider["class"].as_str().unwrap().ends_with("source");
        assert_eq!(
            is_source,
            provider["lanes"].as_array().unwrap().is_empty(),
            "{name} takes something or is a source"
        );
        assert!(provider["localOnly"].is_boolean(), "{name}");
        for lane in provider["lanes"].as_array().unwrap() {
            assert!(lane["lane"].is_string() && lane["gives"].is_array(), "{name}: {lane}");
        }
        let properties = provider["config"]["properties"].as_object().unwrap();
        assert!(properties.values().all(|property| property["description"].is_string()), "{name} documents its config");
    }
}

#[tokio::test]
async fn the_providers_of_the_first_release_are_there_once_each() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    let list = ana.get("/v1/providers").await.ok();

    let names: Vec<_> = list["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect();
    for name in [
        "webhook",
        "chat",
        "timer",
        "file_source",
        "json",
        "filter",
        "template",
        "dedupe",
        "changed",
        "response",
        "http_request",
        "file_sink",
        "log",
    ] {
        assert_eq!(names.iter().filter(|known| **known == name).count(), 1, "{name}: {names:?}");
    }
}

#[tokio::test]
async fn a_parameter_that_does_not_exist_is_refused_by_name() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    let answer = ana.get("/v1/providers?page=2").await;

    assert_eq!(answer.body["message"], json!("query parameter `page` does not exist"));
    assert_eq!(answer.refused(400), "invalid_argument");
}

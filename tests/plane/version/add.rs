//! Adding a version.

use crate::given::environments::{at, named, once};
use futures::future::join_all;
use http::Method;
use serde_json::{Value, json};
use tidemill_testing::{TestPlane, pipeline};

const VERSIONS: &str = "/v1/deployments/p/versions";

#[tokio::test]
async fn a_version_gets_the_next_number_and_is_live_nowhere() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    let first = ana.post(VERSIONS, json!({"pipeline": named("v1")})).await;
    let second = ana.post(VERSIONS, json!({"pipeline": named("v2"), "note": "why"})).await.ok();

    assert_eq!(first.status, 201);
    assert_eq!((&first.ok()["version"], &second["version"], &second["note"]), (&json!(1), &json!(2), &json!("why")));
    let stored = ana.get(&format!("{VERSIONS}/2")).await.ok();
    assert_eq!((&stored["pipeline"], &stored["sha256"]), (&named("v2"), &second["sha256"]));
    assert_eq!(ana.get("/v1/deployments/p").await.refused(404), "not_found");
    assert_eq!(ana.get("/v1/environments").await.ok()["items"], json!([]));
}

#[tokio::test]
async fn what_is_deployed_stays_live_when_a_version_is_added() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let before = ana.deploy(named("v1"), "@daily").await.ok();

    assert_eq!(ana.post(VERSIONS, json!({"pipeline": named("v2")})).await.ok()["version"], 2);

    let after = ana.get("/v1/deployments/p").await.ok();
    assert_eq!((&after["version"], &after["schedule"]), (&before["version"], &before["schedule"]));
}

#[tokio::test]
async fn a_version_can_be_deployed_as_it_is_added() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    let added = ana.post(VERSIONS, json!({"pipeline": named("v1"), "environment": "staging"})).await.ok();

    assert_eq!((&added["version"], &added["environment"]["version"]), (&json!(1), &json!(1)));
    assert_eq!(ana.get(&at("staging")).await.ok(), added["environment"]);
}

#[tokio::test]
async fn a_pipeline_that_is_refused_makes_no_version() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let mut broken = named("v1");
    broken["components"][0]["provider"] = "tmer".into();
    broken["components"][1]["provider"] = "lgo".into();

    let refused = ana.post(VERSIONS, json!({"pipeline": broken})).await;
    assert_eq!(refused.body["details"].as_array().unwrap().len(), 2, "{}", refused.body);
    assert_eq!(refused.refused(400), "invalid_argument");
    for body in [
        json!({"pipeline": pipeline("q")}),
        json!({"pipeline": named("v1"), "note": "x".repeat(513)}),
        json!({"pipeline": named("v1"), "environment": "a b"}),
        json!({"pipeline": named("v1"), "other": 1}),
        json!({}),
    ] {
        assert_eq!(ana.post(VERSIONS, body.clone()).await.refused(400), "invalid_argument", "{body}");
    }
    assert_eq!(ana.get(VERSIONS).await.refused(404), "not_found");
}

#[tokio::test]
async fn a_retry_under_the_same_key_adds_nothing() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    for body in [json!({"pipeline": named("v1")}), json!({"pipeline": named("v2"), "environment": "staging"})] {
        let key = body["pipeline"]["name"].as_str().unwrap();
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        let send = || ana.send(Method::POST, VERSIONS, &headers, body.to_string().into_bytes());

        let answers = join_all((0..5).map(|_| send())).await;

        let answers: Vec<Value> = answers.into_iter().map(|answer| answer.ok()).collect();
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    }
    assert_eq!(ana.get(VERSIONS).await.ok()["items"].as_array().unwrap().len(), 2);
    let first = once(&ana, Method::POST, VERSIONS, json!({"pipeline": named("v3")})).await.ok();
    assert_eq!(first["version"], 3);
    let other = once(&ana, Method::POST, VERSIONS, json!({"pipeline": named("v4")})).await;
    assert_eq!(other.refused(409), "conflict");
}

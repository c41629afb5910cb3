//! Promoting the version that is live in one environment to another.

use crate::given::environments::{at, deployed, once, with_versions};
use http::Method;
use serde_json::{Value, json};
use tidemill_testing::{TestPlane, minutes};

fn promote() -> String {
    format!("{}/promote", at("staging"))
}

#[tokio::test]
async fn a_promotion_deploys_what_is_live_in_the_other_environment() {
    let world = TestPlane::new().await;
    let ana = with_versions(&world, 3).await;
    deployed(&ana, "testing", 2).await;

    let first = ana.post(&promote(), json!({"from": "testing"})).await.ok();
    deployed(&ana, "testing", 3).await;
    let second = ana.post(&promote(), json!({"from": "testing"})).await.ok();

    assert_eq!((&first["version"], &first["fromVersion"]), (&json!(2), &Value::Null));
    assert_eq!((&second["version"], &second["fromVersion"]), (&json!(3), &json!(2)));
    assert_eq!(ana.get(&at("staging")).await.ok()["version"], 3);
    assert_eq!(ana.get(&at("testing")).await.ok()["version"], 3);
}

#[tokio::test]
async fn schedules_stay_where_they_are_and_run_the_promoted_version() {
    let world = TestPlane::new().await;
    let ana = with_versions(&world, 2).await;
    deployed(&ana, "testing", 2).await;
    deployed(&ana, "staging", 1).await;
    let every_minute = json!({"schedule": {"schedule": "* * * * *"}});
    ana.patch(&format!("{}/sources/timer_1", at("staging")), every_minute).await.ok();

    ana.post(&promote(), json!({"from": "testing"})).await.ok();
    world.advance(minutes(1)).await;

    assert_eq!(ana.get(&at("testing")).await.ok()["sources"], json!({}));
    let runs = ana.get("/v1/runs").await.ok();
    let runs = runs["items"].as_array().unwrap();
    assert_eq!(runs.len(), 1);
    assert_eq!((&runs[0]["environment"], &runs[0]["version"]), (&json!("staging"), &json!(2)));
}

#[tokio::test]
async fn nothing_can_be_promoted_from_where_nothing_is_live() {
    let world = TestPlane::new().await;
    let ana = with_versions(&world, 1).await;
    deployed(&ana, "testing", 1).await;
    ana.delete(&at("testing")).await.ok();

    for from in ["testing", "other"] {
        let answer = ana.post(&promote(), json!({"from": from})).await;
        assert!(answer.body["message"].as_str().unwrap().contains(from), "{}", answer.body);
        assert_eq!(answer.refused(404), "not_found", "{from}");
    }
    let itself = ana.post(&promote(), json!({"from": "staging"})).await;
    assert_eq!(itself.refused(400), "invalid_argument");
    assert_eq!(ana.post(&promote(), json!({})).await.refused(400), "invalid_argument");
    assert_eq!(ana.get(&at("staging")).await.refused(404), "not_found");
}

#[tokio::test]
async fn a_promotion_that_expects_another_revision_is_refused() {
    let world = TestPlane::new().await;
    let ana = with_versions(&world, 2).await;
    deployed(&ana, "testing", 2).await;
    deployed(&ana, "staging", 1).await;

    let refused = ana.post(&promote(), json!({"from": "testing", "revision": 2})).await;

    assert_eq!(refused.refused(409), "conflict");
    assert_eq!(ana.get(&at("staging")).await.ok()["version"], 1);
    ana.post(&promote(), json!({"from": "testing", "revision": 1})).await.ok();
    assert_eq!(ana.get(&at("staging")).await.ok()["version"], 2);
}

#[tokio::test]
async fn a_retried_promotion_is_answered_as_the_first_and_moves_nothing() {
    let world = TestPlane::new().await;
    let ana = with_versions(&world, 3).await;
    deployed(&ana, "testing", 2).await;
    let send = async || once(&ana, Method::POST, &promote(), json!({"from": "testing"})).await.ok();

    let first = send().await;
    deployed(&ana, "staging", 3).await;
    ana.delete(&at("testing")).await.ok();

    assert_eq!(send().await, first);
    assert_eq!(ana.get(&at("staging")).await.ok()["version"], 3);
    let other = once(&ana, Method::POST, &promote(), json!({"from": "other"})).await;
    assert_eq!(other.refused(409), "conflict");
}

//! Whether the plane answers.

use serde_json::{Value, json};
use tidemill_testing::TestPlane;

#[tokio::test]
async fn a_plane_that_answers_is_healthy_for_anybody_and_without_a_look_at_the_table() {
    let world = TestPlane::new().await;
    world.faults.die(None);

    let health = world.anonymous().get("/v1/health").await;

    assert_eq!(health.status, 200);
    assert_eq!(health.body["status"], "ok");
    assert!(health.body["version"].is_string());
    assert!(world.faults.calls().is_empty());
}

#[tokio::test]
async fn an_unknown_path_is_answered_differently_from_a_wrong_method() {
    let world = TestPlane::new().await;

    assert_eq!(world.anonymous().get("/v1/helth").await.refused(404), "not_found");
    let wrong = world.anonymous().post("/v1/health", Value::Null).await;
    assert_eq!(wrong.headers.get("allow").map(|allow| allow.to_str().unwrap()), Some("GET"));
    assert_eq!(wrong.body["hint"], json!("use GET"));
    assert_eq!(wrong.refused(405), "method_not_allowed");
}

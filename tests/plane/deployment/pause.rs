//! Pausing.

use serde_json::json;
use tidemill_testing::{TestPlane, minutes, pipeline};

#[tokio::test]
async fn a_paused_schedule_skips_its_ticks() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "*/5 * * * *").await.ok();

    let paused = ana.post("/v1/deployments/p/pause", json!({"note": "moving house"})).await.ok();
    world.advance(minutes(5)).await;

    assert_eq!((&paused["state"], &paused["note"]), (&json!("paused"), &json!("moving house")));
    assert_eq!(paused["next"], json!([]));
    assert_eq!(ana.ticks("p").await, ["skipped(paused)"]);
    assert_eq!(ana.runs("p").await.len(), 0);
}

#[tokio::test]
async fn pausing_twice_changes_only_the_note() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "manual").await.ok();

    ana.post("/v1/deployments/p/pause", json!({"note": "one"})).await.ok();
    let again = ana.post("/v1/deployments/p/pause", json!({"note": "two"})).await.ok();

    assert_eq!((&again["state"], &again["note"]), (&json!("paused"), &json!("two")));
}

#[tokio::test]
async fn a_note_over_the_limit_is_refused_by_name() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "manual").await.ok();

    let answer = ana.post("/v1/deployments/p/pause", json!({"note": "x".repeat(513)})).await;

    assert!(answer.body["message"].as_str().unwrap().contains("limit is 512"));
    assert_eq!(ana.get("/v1/deployments/p").await.ok()["state"], "active");
}

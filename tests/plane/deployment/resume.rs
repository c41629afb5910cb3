//! Resuming.

use serde_json::{Value, json};
use tidemill_testing::{TestPlane, minutes, pipeline};

#[tokio::test]
async fn resuming_replays_nothing_and_the_next_tick_runs() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "* * * * *").await.ok();
    ana.post("/v1/deployments/p/pause", json!({})).await.ok();
    world.advance(minutes(3)).await;

    ana.post("/v1/deployments/p/resume", Value::Null).await.ok();
    world.advance(minutes(1)).await;

    assert_eq!(ana.ticks("p").await, ["skipped(paused)", "skipped(paused)", "skipped(paused)", "ran"]);
}

#[tokio::test]
async fn resuming_what_is_active_changes_nothing() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let added = ana.deploy(pipeline("p"), "* * * * *").await.ok();

    let resumed = ana.post("/v1/deployments/p/resume", Value::Null).await.ok();

    assert_eq!(resumed["revision"], added["revision"]);
}

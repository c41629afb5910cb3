//! Adding groups before their first rollout.

use crate::given::rollouts::{roll_out, rollout};
use serde_json::json;
use tidemill_testing::TestPlane;

#[tokio::test]
async fn a_group_is_added_once_and_keeps_its_title() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let new = json!({"group": "night", "title": "Nightly", "repository": "https://example.com/n"});

    let added = ana.post("/v1/groups", new.clone()).await.ok();

    assert_eq!((&added["title"], &added["running"]), (&json!("Nightly"), &json!(null)));
    assert_eq!(ana.post("/v1/groups", new).await.refused(409), "already_exists");
    roll_out(&world, &ana, rollout("night", &["a"], "x")).await;
    assert_eq!(ana.get("/v1/groups/night").await.ok()["title"], "Nightly");
}

#[tokio::test]
async fn a_group_that_was_removed_can_be_added_again() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    roll_out(&world, &ana, rollout("night", &["a"], "x")).await;
    ana.delete("/v1/groups/night").await.ok();
    world.settle().await;

    assert_eq!(ana.post("/v1/groups", json!({"group": "night"})).await.ok()["group"], "night");
}

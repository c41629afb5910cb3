//! Taking groups off: a rollout, too.

use crate::given::rollouts::{begin, did, findings, live, roll_out, rollout, shown};
use serde_json::json;
use tidemill_testing::TestPlane;

#[tokio::test]
async fn removing_a_group_removes_what_it_brought_live() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    roll_out(&world, &ana, rollout("night", &["a", "b"], "x")).await;
    roll_out(&world, &ana, rollout("day", &["c"], "x")).await;

    let begun = ana.delete("/v1/groups/night").await.ok();
    world.settle().await;

    let done = shown(&ana, begun["id"].as_str().unwrap()).await;
    assert_eq!((&done["purpose"], &done["state"]), (&json!("remove"), &json!("succeeded")));
    assert_eq!(did(&done), ["delete a applied", "delete b applied"]);
    assert_eq!((live(&ana, "a").await, live(&ana, "c").await), (None, Some(1)));
    assert_eq!(ana.get("/v1/groups/night").await.refused(404), "not_found");
    assert_eq!(ana.delete("/v1/groups/night").await.refused(404), "not_found");
    assert_eq!(findings(&ana).await, json!([]));
}

#[tokio::test]
async fn a_group_may_go_and_its_deployments_stay() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    roll_out(&world, &ana, rollout("night", &["a"], "x")).await;

    ana.delete("/v1/groups/night?keep=true").await.ok();
    world.settle().await;

    assert_eq!(ana.get("/v1/deployments/a").await.ok()["group"], json!(null));
    let taken = roll_out(&world, &ana, rollout("day", &["a"], "x")).await;
    assert_eq!(did(&taken), ["unchanged a applied"], "it is free for another group");
    assert_eq!(ana.get("/v1/deployments/a").await.ok()["group"], "day");
}

#[tokio::test]
async fn a_group_is_not_removed_while_a_rollout_goes_on() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    begin(&ana, rollout("night", &["a"], "x")).await;

    assert_eq!(ana.delete("/v1/groups/night").await.refused(409), "already_exists");
}

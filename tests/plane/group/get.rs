//! Reading one group.

use crate::given::rollouts::{begin, roll_out, rollout};
use serde_json::{Value, json};
use tidemill_testing::TestPlane;

#[tokio::test]
async fn a_group_shows_its_members_and_the_rollout_in_its_slot() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let first = roll_out(&world, &ana, rollout("a/b#c", &["p", "q"], "x")).await;
    let second = begin(&ana, rollout("a/b#c", &["p"], "y")).await;

    let group = ana.get("/v1/groups/a%2Fb%23c").await.ok();

    assert_eq!((&group["group"], &group["running"]), (&json!("a/b#c"), &json!(second)));
    assert_ne!(group["running"], first["id"]);
    let members: Vec<&Value> = group["members"].as_array().unwrap().iter().map(|member| &member["project"]).collect();
    assert_eq!(members, ["p", "q"]);
}

#[tokio::test]
async fn what_was_removed_by_itself_is_no_member_any_more() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    roll_out(&world, &ana, rollout("night", &["p", "q"], "x")).await;

    ana.delete("/v1/deployments/q").await.ok();

    let members = ana.get("/v1/groups/night").await.ok()["members"].clone();
    assert_eq!(members, json!([{"logicalId": "p", "type": "pipeline", "project": "p"}]));
}

#[tokio::test]
async fn a_group_that_does_not_exist_or_belongs_to_another_owner_is_not_found() {
    let world = TestPlane::new().await;
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    roll_out(&world, &ana, rollout("night", &["a"], "x")).await;

    assert_eq!(ben.get("/v1/groups/night").await.refused(404), "not_found");
    assert_eq!(ana.get("/v1/groups/day").await.refused(404), "not_found");
}

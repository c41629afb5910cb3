//! Waiting for rollouts.

use crate::given::rollouts::{begin, rollout};
use tidemill_testing::TestPlane;

#[tokio::test]
async fn a_wait_ends_with_the_rollout() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let id = begin(&ana, rollout("night", &["a"], "x")).await;

    let path = format!("/v1/rollouts/{id}/completion");
    let (waited, ()) = futures::join!(ana.get(&path), world.settle());

    let waited = waited.ok();
    assert_eq!((waited["state"].as_str(), waited["items"].as_array().unwrap().len()), (Some("succeeded"), 1));
    assert_eq!(ana.get(&path).await.ok()["state"], "succeeded", "at once");
}

#[tokio::test]
async fn a_wait_that_is_over_shows_the_rollout_as_it_is() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let id = begin(&ana, rollout("night", &["a"], "x")).await;

    let waited = ana.get(&format!("/v1/rollouts/{id}/completion?wait=0")).await.ok();

    assert_eq!(waited["state"], "pending");
}

#[tokio::test]
async fn another_owners_rollout_is_not_waited_for() {
    let world = TestPlane::new().await;
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let id = begin(&ana, rollout("night", &["a"], "x")).await;

    assert_eq!(ben.get(&format!("/v1/rollouts/{id}/completion")).await.refused(404), "not_found");
}

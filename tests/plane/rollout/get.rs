//! Reading one rollout.

use crate::given::rollouts::{begin, roll_out, rollout, shown};
use serde_json::json;
use tidemill_testing::TestPlane;

#[tokio::test]
async fn one_that_waits_has_settled_nothing_and_one_that_is_done_everything() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    let id = begin(&ana, rollout("night", &["a", "b"], "x")).await;
    let waiting = shown(&ana, &id).await;
    world.settle().await;
    let done = shown(&ana, &id).await;

    assert_eq!(
        (&waiting["state"], &waiting["items"], &waiting["resources"]),
        (&json!("pending"), &json!([]), &json!(2))
    );
    assert_eq!((&done["settled"], done["items"].as_array().unwrap().len()), (&json!(2), 2));
    assert!(done["startedAt"].is_string() && done["endedAt"].is_string());
}

#[tokio::test]
async fn one_that_never_was_is_not_found_and_what_is_no_id_is_refused() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    roll_out(&world, &ana, rollout("night", &["a"], "x")).await;

    assert_eq!(ana.get("/v1/rollouts/01KAFZ7Q3M8T5V2N9R4C6W1XDE").await.refused(404), "not_found");
    assert_eq!(ana.get("/v1/rollouts/nope").await.refused(400), "invalid_argument");
}

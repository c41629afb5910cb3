//! Previews: what a rollout would do, without doing it.

use crate::given_rollouts::{begin, broken, live, roll_out, rollout, wanted};
use serde_json::{Value, json};
use tidemill_testing::World;

fn would(preview: &Value) -> Vec<String> {
    let items = preview["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| format!("{} {}", item["action"].as_str().unwrap(), item["project"].as_str().unwrap()))
        .collect()
}

#[tokio::test]
async fn a_preview_says_what_the_rollout_then_does_and_changes_nothing() {
    let world = World::new().await;
    let ana = world.user("ana").await;
    roll_out(&world, &ana, rollout("night", &["a", "b", "c"], "old")).await;
    let mut request = rollout("night", &["a", "b", "d"], "old");
    request["pipelines"][1] = wanted("b", "new");

    let preview = ana.post("/v1/rollouts/preview", request.clone()).await.ok();

    assert_eq!(would(&preview), ["unchanged a", "update b", "create d", "delete c"]);
    assert_eq!((live(&ana, "b").await, live(&ana, "c").await, live(&ana, "d").await), (Some(1), Some(1), None));
    let done = roll_out(&world, &ana, request).await;
    assert_eq!(would(&done), would(&preview));
}

#[tokio::test]
async fn a_preview_neither_waits_for_a_rollout_nor_holds_one_up() {
    let world = World::new().await;
    let ana = world.user("ana").await;
    begin(&ana, rollout("night", &["a"], "x")).await;

    let preview = ana.post("/v1/rollouts/preview", rollout("night", &["a"], "y")).await.ok();

    assert_eq!(would(&preview), ["create a"]);
    world.settle().await;
    assert_eq!(live(&ana, "a").await, Some(1));
}

#[tokio::test]
async fn pipelines_that_cannot_run_are_refused_with_all_that_is_wrong() {
    let world = World::new().await;
    let ana = world.user("ana").await;

    let refused = ana
        .post(
            "/v1/rollouts/preview",
            json!({"group": "night", "pipelines": [broken("a"), wanted("b", "x"), broken("c")]}),
        )
        .await;

    let fields: Vec<_> = refused.body["details"]
        .as_array()
        .unwrap()
        .iter()
        .map(|detail| detail["field"].as_str().unwrap().to_owned())
        .collect();
    assert!(fields[0].starts_with("pipelines[0]") && fields.last().unwrap().starts_with("pipelines[2]"), "{fields:?}");
    assert_eq!(refused.refused(400), "invalid_argument");
}

#[tokio::test]
async fn a_project_of_another_group_is_told() {
    let world = World::new().await;
    let ana = world.user("ana").await;
    roll_out(&world, &ana, rollout("night", &["a"], "x")).await;

    let preview = ana.post("/v1/rollouts/preview", rollout("day", &["a"], "x")).await.ok();

    assert!(preview["items"][0]["problem"].as_str().unwrap().contains("`night`"), "{preview}");
}

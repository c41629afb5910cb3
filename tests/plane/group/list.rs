//! Listing groups.

use crate::given::rollouts::{roll_out, rollout, wanted};
use serde_json::{Value, json};
use tidemill_testing::TestPlane;

#[tokio::test]
async fn groups_are_listed_by_name_page_by_page_without_those_that_are_removed() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    for name in ["c", "a", "b", "d"] {
        roll_out(&world, &ana, rollout(name, &[name], "x")).await;
    }
    ana.delete("/v1/groups/b").await.ok();
    world.settle().await;

    let first = ana.get("/v1/groups?limit=2").await.ok();
    let second = ana.get(&format!("/v1/groups?limit=2&cursor={}", first["next"].as_str().unwrap())).await.ok();

    let names =
        |page: &Value| page["items"].as_array().unwrap().iter().map(|item| item["group"].clone()).collect::<Vec<_>>();
    assert_eq!((names(&first), names(&second)), (vec!["a".into(), "c".into()], vec![Value::from("d")]));
}

#[tokio::test]
async fn removed_groups_do_not_cost_a_read_each() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    for number in 0..30 {
        let project = format!("p{number}");
        roll_out(&world, &ana, json!({"partial": true, "pipelines": [wanted(&project, "x")]})).await;
    }
    roll_out(&world, &ana, rollout("z", &["z"], "x")).await;
    let before = world.faults.calls().len();

    let listed = ana.get("/v1/groups?limit=1").await.ok();

    let queries = world.faults.calls()[before..].iter().filter(|call| call.operation == "Query").count();
    assert_eq!((listed["items"][0]["group"].as_str(), queries), (Some("z"), 1));
}

//! Listing rollouts.

use crate::given::rollouts::{roll_out, rollout};
use serde_json::Value;
use tidemill_testing::{TestPlane, seconds};

fn ids(list: &Value) -> Vec<String> {
    list["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn rollouts_are_listed_newest_first_page_by_page_and_by_group() {
    let world = TestPlane::new().await;
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let mut expected = Vec::new();
    for i in 0..5 {
        let group = if i % 2 == 0 { "even" } else { "odd" };
        let done = roll_out(&world, &ana, rollout(group, &[group], &format!("v{i}"))).await;
        expected.insert(0, done["id"].as_str().unwrap().to_owned());
        world.sleep(seconds(1));
    }
    roll_out(&world, &ben, rollout("even", &["a"], "x")).await;

    let mut paged = Vec::new();
    let mut path = "/v1/rollouts?limit=2".to_owned();
    loop {
        let page = ana.get(&path).await.ok();
        paged.extend(ids(&page));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/rollouts?limit=2&cursor={next}");
    }
    let odd = ana.get("/v1/rollouts?group=odd").await.ok();

    assert_eq!(paged, expected);
    assert_eq!(ids(&odd), [expected[1].clone(), expected[3].clone()]);
}

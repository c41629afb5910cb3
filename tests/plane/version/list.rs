//! Listing versions.

use serde_json::{Value, json};
use tidemill_testing::{TestPlane, User, pipeline};

async fn with_versions(world: &TestPlane, count: usize) -> User {
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "manual").await.ok();
    for number in 2..=count {
        let mut changed = pipeline("p");
        changed["name"] = number.into();
        ana.patch("/v1/deployments/p", json!({"pipeline": changed})).await.ok();
    }
    ana
}

fn numbers(list: &Value) -> Vec<u64> {
    list["items"].as_array().unwrap().iter().map(|version| version["version"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn versions_are_listed_newest_first_without_gaps_and_without_their_pipelines() {
    let world = TestPlane::new().await;
    let ana = with_versions(&world, 3).await;
    ana.patch("/v1/deployments/p", json!({"schedule": "@hourly"})).await.ok();

    let list = ana.get("/v1/deployments/p/versions").await.ok();

    assert_eq!(numbers(&list), [3, 2, 1]);
    assert!(list["items"].as_array().unwrap().iter().all(|version| version.get("pipeline").is_none()));
}

#[tokio::test]
async fn pages_hold_every_version_once() {
    let world = TestPlane::new().await;
    let ana = with_versions(&world, 12).await;

    for limit in [1, 5, 12] {
        let mut seen = Vec::new();
        let mut path = format!("/v1/deployments/p/versions?limit={limit}");
        loop {
            let page = ana.get(&path).await.ok();
            seen.extend(numbers(&page));
            assert!(seen.len() <= 12, "it comes to an end: {seen:?}");
            let Some(cursor) = page["next"].as_str() else { break };
            path = format!("/v1/deployments/p/versions?limit={limit}&cursor={cursor}");
        }
        assert_eq!(seen, (1..=12).rev().collect::<Vec<_>>(), "{limit} a page");
    }
}

#[tokio::test]
async fn a_removed_project_still_lists_its_versions() {
    let world = TestPlane::new().await;
    let ana = with_versions(&world, 2).await;

    ana.delete("/v1/deployments/p").await.ok();

    assert_eq!(numbers(&ana.get("/v1/deployments/p/versions").await.ok()), [2, 1]);
}

#[tokio::test]
async fn a_project_that_never_was_is_not_found() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    assert_eq!(ana.get("/v1/deployments/q/versions").await.refused(404), "not_found");
}

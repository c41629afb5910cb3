//! Listing environments.

use crate::given::environments::{at, deployed, with_versions};
use serde_json::{Value, json};
use tidemill_testing::{TestPlane, User, pipeline};

async fn with_environments(world: &TestPlane) -> User {
    let ana = with_versions(world, 1).await;
    ana.post("/v1/deployments/q/versions", json!({"pipeline": pipeline("q")})).await.ok();
    for environment in ["testing", "staging", "production"] {
        deployed(&ana, environment, 1).await;
    }
    ana.put("/v1/environments/staging/projects/q", json!({"version": 1})).await.ok();
    ana
}

fn names(list: &Value) -> Vec<String> {
    let items = list["items"].as_array().unwrap().iter();
    items.map(|one| format!("{}/{}", one["environment"].as_str().unwrap(), one["project"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn environments_are_listed_by_name_and_project() {
    let world = TestPlane::new().await;
    let ana = with_environments(&world).await;

    let all = ana.get("/v1/environments").await.ok();

    assert_eq!(names(&all), ["production/p", "staging/p", "staging/q", "testing/p"]);
    assert_eq!(all["items"][1], ana.get(&at("staging")).await.ok());
}

#[tokio::test]
async fn a_list_can_be_of_one_environment_or_of_one_project() {
    let world = TestPlane::new().await;
    let ana = with_environments(&world).await;

    let of = async |query: &str| names(&ana.get(&format!("/v1/environments?{query}")).await.ok());

    assert_eq!(of("environment=staging").await, ["staging/p", "staging/q"]);
    assert_eq!(of("project=p").await, ["production/p", "staging/p", "testing/p"]);
    assert_eq!(of("environment=staging&project=q").await, ["staging/q"]);
    assert_eq!(of("environment=nothing").await, Vec::<String>::new());
}

#[tokio::test]
async fn pages_hold_every_environment_once_and_no_removed_one() {
    let world = TestPlane::new().await;
    let ana = with_environments(&world).await;
    ana.delete(&at("staging")).await.ok();

    let (mut found, mut path) = (Vec::new(), "/v1/environments?limit=1".to_owned());
    loop {
        let page = ana.get(&path).await.ok();
        found.extend(names(&page));
        assert!(found.len() <= 3, "it comes to an end: {found:?}");
        let Some(cursor) = page["next"].as_str() else { break };
        path = format!("/v1/environments?limit=1&cursor={cursor}");
    }

    assert_eq!(found, ["production/p", "staging/q", "testing/p"]);
}

#[tokio::test]
async fn a_limit_or_a_cursor_that_no_list_takes_is_refused() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    for query in ["limit=0", "limit=101", "limit=x", "cursor=%21", "environment=a%20b", "other=1"] {
        let answer = ana.get(&format!("/v1/environments?{query}")).await;
        assert_eq!(answer.refused(400), "invalid_argument", "{query}");
    }
}

//! The history of an environment.

use crate::given::environments::{at, deployed, with_versions};
use serde_json::{Value, json};
use tidemill_testing::{TestPlane, User, seconds};

fn path() -> String {
    format!("{}/history", at("staging"))
}

async fn with_history(world: &TestPlane) -> User {
    let ana = with_versions(world, 2).await;
    deployed(&ana, "testing", 2).await;
    deployed(&ana, "staging", 1).await;
    world.sleep(seconds(1));
    ana.post(&format!("{}/promote", at("staging")), json!({"from": "testing"})).await.ok();
    world.sleep(seconds(1));
    ana.post(&format!("{}/rollback", at("staging")), json!({})).await.ok();
    world.sleep(seconds(1));
    ana.post(&format!("{}/disable", at("staging")), Value::Null).await.ok();
    ana
}

fn shown(list: &Value) -> Vec<Value> {
    let items = list["items"].as_array().unwrap().iter();
    items.map(|row| json!([row["operation"], row["fromVersion"], row["version"]])).collect()
}

#[tokio::test]
async fn the_history_has_what_was_added_and_what_changed_there_newest_first() {
    let world = TestPlane::new().await;
    let ana = with_history(&world).await;

    let history = ana.get(&path()).await.ok();

    assert_eq!(
        shown(&history),
        [
            json!(["environment_disable", 1, 1]),
            json!(["environment_rollback", 2, 1]),
            json!(["environment_promote", 1, 2]),
            json!(["environment_deploy", null, 1]),
            json!(["version_add", null, 2]),
            json!(["version_add", null, 1]),
        ]
    );
    let first = &history["items"][0];
    assert_eq!((&first["environment"], &first["key"]), (&json!("staging"), &json!(ana.key_id)));
    assert_eq!(history["next"], Value::Null);
}

#[tokio::test]
async fn pages_hold_every_row_once() {
    let world = TestPlane::new().await;
    let ana = with_history(&world).await;
    let all = ana.get(&path()).await.ok();

    for limit in [1, 2, 5, 6] {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = ana.get(&format!("{}?limit={limit}{cursor}", path())).await.ok();
            found.extend(page["items"].as_array().unwrap().clone());
            assert!(found.len() <= 6, "it comes to an end");
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(json!(found), all["items"], "{limit} a page");
    }
}

#[tokio::test]
async fn a_project_without_versions_has_no_history() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    assert_eq!(ana.get(&path()).await.refused(404), "not_found");
    let ana = with_versions(&world, 1).await;
    assert_eq!(shown(&ana.get(&path()).await.ok()), [json!(["version_add", null, 1])]);
    assert_eq!(ana.get(&format!("{}?cursor=x", path())).await.refused(400), "invalid_argument");
}

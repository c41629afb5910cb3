//! Who calls, and what answers.

use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tidemill_model::calendar::Calendar;
use tidemill_model::key::{KeyKind, Scope};
use tidemill_testing::TestPlane;

#[tokio::test]
async fn a_caller_learns_whose_key_it_has_and_what_the_key_may_do() {
    let world = TestPlane::new().await;
    let ana = world.user_with("ana", &[Scope::Monitor, Scope::Data]).await;

    let me = ana.get("/v1/me").await.ok();

    assert_eq!((&me["owner"], &me["key"]), (&json!("ana"), &json!({"id": ana.key_id, "name": null})));
    assert_eq!(me["scopes"], json!(["task.monitor", "task.data"]));
    assert_eq!((&me["plane"], &me["minuteSeconds"]), (&json!("local"), &json!(60.0)));
    assert_eq!(me["version"], ana.get("/v1/health").await.ok()["version"]);
}

#[tokio::test]
async fn a_key_is_shown_with_its_name() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let made = ana.post("/v1/keys", json!({"name": "ci", "scopes": ["task.monitor"]})).await.ok();

    let ci = tidemill_testing::User::new(world.plane.clone(), made["key"].as_str().unwrap(), "");

    assert_eq!(ci.get("/v1/me").await.ok()["key"], json!({"id": made["id"], "name": "ci"}));
}

#[tokio::test]
async fn a_plane_names_its_kind_and_the_length_of_its_minute() {
    let mut world = TestPlane::new().await;
    let plane = Arc::get_mut(&mut world.plane).expect("there is no other holder yet");
    plane.kind = KeyKind::Live;
    plane.calendar = Calendar::with_minute(Duration::from_millis(500)).unwrap();
    let ana = world.user("ana").await;

    let me = ana.get("/v1/me").await.ok();

    assert_eq!((&me["plane"], &me["minuteSeconds"]), (&json!("cloud"), &json!(0.5)));
}

#[tokio::test]
async fn a_key_of_any_single_scope_learns_its_scope() {
    let world = TestPlane::new().await;

    for scope in Scope::ALL {
        let ana = world.user_with("ana", &[scope]).await;
        assert_eq!(ana.get("/v1/me").await.ok()["scopes"], json!([scope.as_str()]));
    }
}

#[tokio::test]
async fn only_a_live_key_is_answered_and_only_about_itself() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let bob = world.user_with("bob", &[Scope::Data]).await;

    assert_eq!(bob.get("/v1/me?owner=ana").await.refused(400), "invalid_argument");
    ana.delete(&format!("/v1/keys/{}", ana.key_id)).await.ok();

    assert_eq!(ana.get("/v1/me").await.refused(401), "unauthenticated");
    assert_eq!(world.anonymous().get("/v1/me").await.refused(401), "unauthenticated");
}

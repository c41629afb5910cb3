//! What answers, and since when.

use serde_json::json;
use tidemill_model::key::Scope;
use tidemill_testing::{TestPlane, seconds};

#[tokio::test]
async fn a_plane_shows_since_when_it_runs() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    world.sleep(seconds(90));

    let status = ana.get("/v1/status").await.ok();

    assert_eq!((&status["startedAt"], &status["uptimeSeconds"]), (&json!("2026-03-02T10:00:30Z"), &json!(90)));
    let restarted = world.restarted().await;
    assert_eq!(ana.at(&restarted.plane).get("/v1/status").await.ok()["uptimeSeconds"], 0);
}

#[tokio::test]
async fn only_a_key_with_the_scope_sees_it() {
    let world = TestPlane::new().await;

    assert_eq!(world.anonymous().get("/v1/status").await.refused(401), "unauthenticated");
    let sender = world.user_with("ana", &[Scope::Data]).await;
    assert_eq!(sender.get("/v1/status").await.refused(403), "permission_denied");
}

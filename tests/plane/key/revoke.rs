//! Revoking API keys.

use serde_json::json;
use tidemill_testing::{TestPlane, User, minutes};

#[tokio::test]
async fn a_revoked_key_is_refused_at_once_and_the_others_are_not() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let made = ana.post("/v1/keys", json!({})).await.ok();
    let other = User::new(world.plane.clone(), made["key"].as_str().unwrap(), made["id"].as_str().unwrap());
    other.get("/v1/deployments").await.ok();

    let revoked = ana.delete(&format!("/v1/keys/{}", other.key_id)).await.ok();

    assert_eq!(revoked["state"], "revoked");
    assert_eq!(revoked["revokedAt"], "2026-03-02T10:00:30Z");
    assert_eq!(other.get("/v1/deployments").await.refused(401), "unauthenticated");
    ana.get("/v1/deployments").await.ok();
}

#[tokio::test]
async fn revoking_twice_changes_nothing() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let made = ana.post("/v1/keys", json!({})).await.ok();
    let path = format!("/v1/keys/{}", made["id"].as_str().unwrap());
    let first = ana.delete(&path).await.ok();
    world.advance(minutes(5)).await;

    assert_eq!(ana.delete(&path).await.ok(), first);
}

#[tokio::test]
async fn the_use_of_a_key_never_brings_it_back() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let other = world.user("ana").await;

    // Both write the key's record: one that it was used, one that it is revoked.
    let path = format!("/v1/keys/{}", other.key_id);
    let (_, revoked) = futures::join!(other.get("/v1/deployments"), ana.delete(&path));

    revoked.ok();
    assert_eq!(other.get("/v1/deployments").await.refused(401), "unauthenticated");
}

#[tokio::test]
async fn a_key_may_revoke_itself() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    ana.delete(&format!("/v1/keys/{}", ana.key_id)).await.ok();

    assert_eq!(ana.get("/v1/keys").await.refused(401), "unauthenticated");
}

#[tokio::test]
async fn a_key_that_does_not_exist_is_not_found() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let somebody = world.user("bob").await;

    assert_eq!(ana.delete(&format!("/v1/keys/{}", somebody.key_id)).await.refused(404), "not_found");
    assert_eq!(ana.delete("/v1/keys/nonsense").await.refused(400), "invalid_argument");
    somebody.get("/v1/keys").await.ok();
}

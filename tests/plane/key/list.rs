//! Listing API keys.

use serde_json::json;
use tidemill_testing::{TestPlane, minutes};

#[tokio::test]
async fn keys_are_listed_oldest_first_with_their_state_and_without_their_text() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let expires = world.now() + jiff::SignedDuration::from_mins(10);
    world.advance(minutes(1)).await;
    let short = ana.post("/v1/keys", json!({"name": "short", "expiresAt": expires.to_string()})).await.ok();
    world.advance(minutes(1)).await;
    let gone = ana.post("/v1/keys", json!({"name": "gone"})).await.ok();
    ana.delete(&format!("/v1/keys/{}", gone["id"].as_str().unwrap())).await.ok();
    world.advance(minutes(10)).await;

    let list = ana.get("/v1/keys").await.ok();

    let items = list["items"].as_array().unwrap();
    let states: Vec<_> = items.iter().map(|key| key["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["live", "expired", "revoked"]);
    assert_eq!(items[0]["id"].as_str().unwrap(), ana.key_id);
    assert_eq!(items[1]["name"], "short");
    assert!(items[2]["revokedAt"].is_string());
    let text = list.to_string();
    for key in [ana.key.as_str(), short["key"].as_str().unwrap(), gone["key"].as_str().unwrap()] {
        assert!(!text.contains(key));
    }
    assert!(!text.contains("hash"));
}

#[tokio::test]
async fn a_key_shows_its_last_use_to_the_hour() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let last_used = || async { ana.get("/v1/keys").await.ok()["items"][0]["lastUsedAt"].clone() };

    assert_eq!(last_used().await, "2026-03-02T10:00:30Z");
    world.advance(minutes(59)).await;
    assert_eq!(last_used().await, "2026-03-02T10:00:30Z", "it is not written at every use");
    world.advance(minutes(2)).await;
    assert_eq!(last_used().await, "2026-03-02T11:01:30Z");
}

#[tokio::test]
async fn a_key_that_was_never_used_says_so() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.post("/v1/keys", json!({})).await.ok();

    assert_eq!(ana.get("/v1/keys").await.ok()["items"][1]["lastUsedAt"], json!(null));
}

#[tokio::test]
async fn pages_hold_every_key_once() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    for number in 0..4 {
        world.advance(minutes(1)).await;
        ana.post("/v1/keys", json!({"name": number.to_string()})).await.ok();
    }

    let first = ana.get("/v1/keys?limit=3").await.ok();
    let cursor = first["next"].as_str().unwrap();
    let second = ana.get(&format!("/v1/keys?limit=3&cursor={cursor}")).await.ok();

    let both = [first["items"].as_array().unwrap().as_slice(), second["items"].as_array().unwrap()].concat();
    let names: Vec<_> = both.iter().map(|key| key["name"].as_str()).collect();
    assert_eq!(names, [None, Some("0"), Some("1"), Some("2"), Some("3")]);
    assert_eq!(second["next"], json!(null));
}

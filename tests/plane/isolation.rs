//! Two owners never see each other's anything.

use crate::given::environments::{at, deployed};
use serde_json::{Value, json};
use tidemill_model::key::Scope;
use tidemill_testing::{TestPlane, minutes, pipeline};

#[tokio::test]
async fn what_belongs_to_another_owner_is_not_found() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let bob = world.user("bob").await;
    ana.deploy(pipeline("p"), "* * * * *").await.ok();
    ana.put("/v1/secrets/TOKEN", json!({"value": "s3cret"})).await.ok();
    world.advance(minutes(1)).await;
    let run = ana.runs("p").await[0]["id"].as_str().unwrap().to_owned();
    deployed(&ana, "staging", 1).await;

    for path in [
        "/v1/deployments/p".to_owned(),
        "/v1/deployments/p/versions".to_owned(),
        "/v1/deployments/p/versions/1".to_owned(),
        "/v1/deployments/p/ticks".to_owned(),
        "/v1/deployments/p/why?time=2026-03-02T10:01:00Z".to_owned(),
        format!("/v1/runs/{run}"),
        format!("/v1/runs/{run}?project=p"),
        format!("/v1/runs/{run}/logs"),
        "/v1/runs?project=p".to_owned(),
        at("staging"),
        format!("{}/history", at("staging")),
    ] {
        ana.get(&path).await.ok();
        assert_eq!(bob.get(&path).await.refused(404), "not_found", "{path}");
    }
    for path in [format!("/v1/runs/{run}/cancel"), "/v1/deployments/p/runs".into(), "/v1/deployments/p/pause".into()] {
        assert_eq!(bob.post(&path, json!({})).await.refused(404), "not_found", "{path}");
    }
    for (path, body) in [
        ("promote", json!({"from": "staging"})),
        ("rollback", json!({"version": 1})),
        ("run", json!({"source": "timer_1"})),
        ("enable", Value::Null),
        ("disable", Value::Null),
    ] {
        let place = if path == "promote" { at("testing") } else { at("staging") };
        assert_eq!(bob.post(&format!("{place}/{path}"), body).await.refused(404), "not_found", "{path}");
    }
    let paused = bob.patch(&format!("{}/sources/timer_1", at("staging")), json!({"paused": true})).await;
    assert_eq!(paused.refused(404), "not_found");
    assert_eq!(bob.put(&at("staging"), json!({"version": 1})).await.refused(404), "not_found");
    assert_eq!(bob.delete(&at("staging")).await.refused(404), "not_found");
    assert_eq!(bob.delete("/v1/deployments/p").await.refused(404), "not_found");
    assert_eq!(bob.delete(&format!("/v1/keys/{}", ana.key_id)).await.refused(404), "not_found");
    assert_eq!(bob.delete("/v1/secrets/TOKEN").await.refused(404), "not_found");
    for path in ["/v1/deployments", "/v1/runs", "/v1/secrets", "/v1/environments"] {
        assert_eq!(bob.get(path).await.ok()["items"], json!([]), "{path}");
    }
}

#[tokio::test]
async fn two_owners_may_use_one_project_id() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let bob = world.user("bob").await;
    ana.deploy(pipeline("p"), "* * * * *").await.ok();
    bob.deploy(pipeline("p"), "*/2 * * * *").await.ok();

    ana.delete("/v1/deployments/p").await.ok();
    world.advance(minutes(4)).await;

    assert_eq!(ana.runs("p").await.len(), 0);
    assert_eq!(bob.runs("p").await.len(), 2);
}

#[tokio::test]
async fn names_that_look_like_paths_or_keys_stay_within_their_owner() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let bob = world.user("bob").await;
    for project in ["../bob/p", "x#p", "#", "p#V#0000000001", "%2e%2e"] {
        ana.deploy(pipeline(project), "manual").await.ok();
    }

    assert_eq!(bob.get("/v1/deployments").await.ok()["items"], json!([]));
    assert_eq!(ana.get("/v1/deployments").await.ok()["items"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn a_scope_that_is_missing_is_named() {
    let world = TestPlane::new().await;
    let looker = world.user_with("ana", &[Scope::Monitor]).await;

    let answer = looker.deploy(pipeline("p"), "manual").await;

    assert!(answer.body["message"].as_str().unwrap().contains("`task.control`"));
    assert_eq!(answer.refused(403), "permission_denied");
    looker.get("/v1/deployments").await.ok();
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "manual").await.ok();
    deployed(&ana, "staging", 1).await;
    for path in ["/v1/environments".to_owned(), at("staging"), "/v1/schedule?schedule=@daily".to_owned()] {
        looker.get(&path).await.ok();
    }
    for path in ["promote", "rollback", "run", "enable", "disable"] {
        let answer = looker.post(&format!("{}/{path}", at("staging")), json!({})).await;
        assert_eq!(answer.refused(403), "permission_denied", "{path}");
    }
    assert_eq!(looker.put(&at("staging"), json!({"version": 1})).await.refused(403), "permission_denied");
    assert_eq!(looker.post("/v1/deployments/p/versions", json!({})).await.refused(403), "permission_denied");
    assert_eq!(looker.post("/v1/doctor", Value::Null).await.refused(403), "permission_denied");
}

#[tokio::test]
async fn a_request_without_a_live_key_is_refused() {
    let world = TestPlane::new().await;
    let mut somebody = world.user("ana").await;
    assert_eq!(world.anonymous().get("/v1/deployments").await.refused(401), "unauthenticated");

    let before = world.faults.calls().len();
    somebody.key.replace_range(12..13, "~");
    assert_eq!(somebody.get("/v1/deployments").await.refused(401), "unauthenticated");
    assert_eq!(world.faults.calls().len(), before, "a key with a wrong checksum costs no look at the table");
}

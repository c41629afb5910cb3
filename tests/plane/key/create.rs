//! Making API keys.

use serde_json::{Value, json};
use tidemill_model::key::Scope;
use tidemill_testing::{TestPlane, User, minutes};

fn with_key(world: &TestPlane, made: &Value) -> User {
    User::new(world.plane.clone(), made["key"].as_str().unwrap(), made["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_new_key_may_do_everything_but_administer() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    let answer = ana.post("/v1/keys", json!({"name": "ci"})).await;

    assert_eq!(answer.status, 201);
    let made = answer.ok();
    assert_eq!(made["scopes"], json!(["task.control", "task.monitor", "task.data"]));
    assert_eq!(made["name"], "ci");
    let ci = with_key(&world, &made);
    ci.get("/v1/deployments").await.ok();
    assert_eq!(ci.get("/v1/keys").await.refused(403), "permission_denied");
}

#[tokio::test]
async fn the_key_is_shown_once_and_never_again() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    let made = ana.post("/v1/keys", json!({})).await.ok();

    let key = made["key"].as_str().unwrap();
    assert!(key.starts_with("tm_local_"), "{key}");
    let list = ana.get("/v1/keys").await.ok();
    assert!(!list.to_string().contains(key));
    let revoked = ana.delete(&format!("/v1/keys/{}", made["id"].as_str().unwrap())).await.ok();
    assert!(!revoked.to_string().contains(key));
}

#[tokio::test]
async fn a_key_does_only_what_its_scopes_say() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    let made = ana.post("/v1/keys", json!({"scopes": ["task.monitor", "task.monitor"]})).await.ok();

    assert_eq!(made["scopes"], json!(["task.monitor"]));
    let looker = with_key(&world, &made);
    looker.get("/v1/runs").await.ok();
    let refused = looker.deploy(tidemill_testing::pipeline("p"), "manual").await;
    assert_eq!(refused.refused(403), "permission_denied");
}

#[tokio::test]
async fn a_key_is_refused_from_the_instant_it_expires() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let expires = world.now() + jiff::SignedDuration::from_mins(10);
    let made = ana.post("/v1/keys", json!({"expiresAt": expires.to_string()})).await.ok();
    let short = with_key(&world, &made);

    world.advance(minutes(9)).await;
    short.get("/v1/deployments").await.ok();
    world.advance(minutes(1)).await;

    let refused = short.get("/v1/deployments").await;
    assert_eq!(refused.refused(401), "unauthenticated");
}

#[tokio::test]
async fn a_scope_that_does_not_exist_is_refused_by_name() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    let answer = ana.post("/v1/keys", json!({"scopes": ["task.monitor", "task.fly"]})).await;

    assert!(answer.body["message"].as_str().unwrap().contains("`task.fly`"), "{}", answer.body);
    assert!(answer.body["message"].as_str().unwrap().contains("`task.control`"), "{}", answer.body);
    assert_eq!(answer.refused(400), "invalid_argument");
}

#[tokio::test]
async fn a_key_that_could_do_nothing_is_not_made() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    for (body, field) in [
        (json!({"scopes": []}), "scopes"),
        (json!({"expiresAt": "2026-03-02T10:00:30Z"}), "expiresAt"),
        (json!({"name": "x".repeat(257)}), "name"),
        (json!({"owner": "bob"}), "owner"),
    ] {
        let answer = ana.post("/v1/keys", body).await;
        assert!(answer.body["details"].to_string().contains(field), "{field}: {}", answer.body);
        assert_eq!(answer.refused(400), "invalid_argument", "{field}");
    }
    assert_eq!(ana.get("/v1/keys").await.ok()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn only_an_administrator_makes_keys() {
    let world = TestPlane::new().await;
    let operator = world.user_with("ana", &Scope::DEFAULT).await;

    let answer = operator.post("/v1/keys", json!({})).await;

    assert!(answer.body["message"].as_str().unwrap().contains("`admin`"));
    assert_eq!(answer.refused(403), "permission_denied");
}

#[tokio::test]
async fn a_key_that_is_asked_for_twice_with_one_idempotency_key_is_made_once() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let headers = [("content-type", "application/json"), ("idempotency-key", "k-1")];
    let make = |body: &str| ana.send(http::Method::POST, "/v1/keys", &headers, body.as_bytes().to_vec());

    let (first, second) = futures::join!(make(r#"{"name": "ci"}"#), make(r#"{"name": "ci"}"#));
    let third = make(r#"{"name": "ci"}"#).await;

    assert_eq!((first.status, second.status, third.status.as_u16()), (third.status, third.status, 201));
    assert_eq!((&first.body, &second.body), (&third.body, &third.body));
    assert_eq!(third.headers["idempotent-replayed"], "true");
    with_key(&world, &third.body).get("/v1/deployments").await.ok();
    assert_eq!(ana.get("/v1/keys").await.ok()["items"].as_array().unwrap().len(), 2);
    assert_eq!(make(r#"{"name": "other"}"#).await.refused(409), "conflict");
}

#[tokio::test]
async fn a_key_that_is_remembered_for_a_repetition_lies_nowhere_as_it_is() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let headers = [("content-type", "application/json"), ("idempotency-key", "k-1")];
    world.faults.die(None);

    let made = ana.send(http::Method::POST, "/v1/keys", &headers, b"{}".to_vec()).await.ok();

    let key = made["key"].as_str().unwrap();
    let written = world.faults.calls();
    assert!(written.iter().any(|call| call.request.to_string().contains("idempotency#key_create")));
    assert!(written.iter().all(|call| !call.request.to_string().contains(key)));
}

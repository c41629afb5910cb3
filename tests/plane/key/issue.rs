//! Issuing keys with AWS credentials alone: how the first key of a plane in the cloud comes to be.

use serde_json::{Value, json};
use tidemill_operations::Error;
use tidemill_protocols::functions::{On, named};
use tidemill_protocols::invoke;
use tidemill_testing::{TestPlane, User};

async fn issue(world: &TestPlane, payload: Value) -> Result<Value, Error> {
    let On::Invoke(handle) = &named("key_issue").unwrap().on else { panic!("`key_issue` has no caller") };
    handle(&world.plane, payload).await
}

fn with_key(world: &TestPlane, made: &Value) -> User {
    User::new(world.plane.clone(), made["key"].as_str().unwrap(), made["id"].as_str().unwrap())
}

#[tokio::test]
async fn the_first_key_of_an_empty_plane_may_do_everything() {
    let world = TestPlane::new().await;

    let made = issue(&world, json!({"owner": "me", "name": "first"})).await.unwrap();

    assert_eq!((&made["owner"], &made["name"]), (&json!("me"), &json!("first")));
    assert_eq!(made["scopes"], json!(["task.control", "task.monitor", "task.data", "admin"]));
    let me = with_key(&world, &made);
    assert_eq!(me.get("/v1/keys").await.ok()["items"].as_array().unwrap().len(), 1);
    me.post("/v1/keys", json!({"name": "ci"})).await.ok();
}

#[tokio::test]
async fn an_issued_key_does_only_what_its_scopes_say() {
    let world = TestPlane::new().await;

    let made = issue(&world, json!({"owner": "me", "scopes": ["task.monitor"]})).await.unwrap();

    let looker = with_key(&world, &made);
    looker.get("/v1/runs").await.ok();
    assert_eq!(looker.get("/v1/keys").await.refused(403), "permission_denied");
}

#[tokio::test]
async fn keys_of_two_owners_do_not_see_each_other() {
    let world = TestPlane::new().await;

    let ana = with_key(&world, &issue(&world, json!({"owner": "ana"})).await.unwrap());
    let bob = with_key(&world, &issue(&world, json!({"owner": "bob"})).await.unwrap());

    ana.deploy(tidemill_testing::pipeline("p"), "manual").await.ok();
    assert_eq!(bob.get("/v1/deployments/p").await.refused(404), "not_found");
    assert_eq!(bob.get("/v1/keys").await.ok()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_wrong_is_named_and_no_key_is_made() {
    let world = TestPlane::new().await;
    issue(&world, json!({"owner": "me"})).await.unwrap();

    for (payload, named) in [
        (json!({}), "owner"),
        (json!(null), "cannot be read"),
        (json!([]), "cannot be read"),
        (json!("me"), "cannot be read"),
        (json!({"owner": ""}), "owner"),
        (json!({"owner": "a#b"}), "owner"),
        (json!({"owner": "me", "scopes": []}), "scope"),
        (json!({"owner": "me", "scopes": ["task.fly"]}), "`task.fly`"),
        (json!({"owner": "me", "expiresAt": "2020-01-01T00:00:00Z"}), "past"),
        (json!({"owner": "me", "nmae": "x"}), "nmae"),
    ] {
        let refused = issue(&world, payload.clone()).await.unwrap_err();
        let (word, text) = invoke::refusal(&refused);
        assert_eq!(word, "invalid_argument", "{payload}: {text}");
        assert!(text.contains(named) && text.contains("hint: "), "{payload}: {text}");
    }
    assert_eq!(world.plane.store.owners().await.unwrap().len(), 1);
}

#[tokio::test]
async fn nothing_leads_there_over_http() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    for path in ["/v1/key_issue", "/v1/keys/issue", "/key_issue"] {
        let answer = ana.post(path, json!({"owner": "bob"})).await;
        assert!(matches!(answer.status.as_u16(), 404 | 405), "{path}: {}", answer.status);
    }
    assert_eq!(world.plane.store.owners().await.unwrap().len(), 1);
}

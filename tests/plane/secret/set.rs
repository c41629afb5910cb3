//! Secrets: used by runs, and seen nowhere.

use crate::given::{chain, ran};
use serde_json::{Value, json};
use tidemill_model::ids::{OwnerId, SecretName};
use tidemill_model::key::Scope;
use tidemill_testing::{TestPlane, User, seconds};

/// A value that no answer may hold.
const CANARY: &str = "c4nary-value+/=&?";

/// A pipeline whose template names `${TOKEN}`.
fn using(project: &str, provider: &str, config: Value) -> Value {
    let template = json!({"template": "Bearer ${TOKEN}"});
    chain(project, &[("timer", json!({}), "text"), ("template", template, "text"), (provider, config, "text")])
}

async fn with_canary(world: &TestPlane) -> User {
    let ana = world.user("ana").await;
    ana.put("/v1/secrets/TOKEN", json!({"value": CANARY})).await.ok();
    ana
}

#[tokio::test]
async fn a_run_uses_the_secret_that_its_config_names() {
    let world = TestPlane::new().await;
    let ana = with_canary(&world).await;
    ana.deploy(using("p", "file_sink", json!({"path": "out.txt"})), "manual").await.ok();

    let run = ran(&world, &ana, "p").await;

    assert_eq!(run["state"], "succeeded", "{run}");
    let written = std::fs::read_to_string(world.folder().join("ana/out.txt")).unwrap();
    assert_eq!(written, format!("Bearer {CANARY}\n"));
}

#[tokio::test]
async fn a_run_uses_the_value_that_was_set_last() {
    let world = TestPlane::new().await;
    let ana = with_canary(&world).await;
    ana.deploy(using("p", "file_sink", json!({"path": "out.txt"})), "manual").await.ok();
    ana.put("/v1/secrets/TOKEN", json!({"value": "second"})).await.ok();

    ran(&world, &ana, "p").await;

    assert_eq!(std::fs::read_to_string(world.folder().join("ana/out.txt")).unwrap(), "Bearer second\n");
}

#[tokio::test]
async fn a_secret_that_is_not_set_fails_the_run_by_its_name_and_says_what_to_do() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let somebody = world.user("bob").await;
    somebody.put("/v1/secrets/TOKEN", json!({"value": CANARY})).await.ok();
    ana.deploy(using("p", "response", json!({"lanes": []})), "manual").await.ok();

    let run = ran(&world, &ana, "p").await;

    assert_eq!(run["state"], "failed");
    assert!(run["error"]["message"].as_str().unwrap().contains("`TOKEN`"), "{run}");
    assert!(run["error"]["hint"].as_str().unwrap().contains("tidemill secrets set TOKEN"), "{run}");
}

#[tokio::test]
async fn no_answer_shows_a_secret_even_when_the_pipeline_prints_it() {
    let world = TestPlane::new().await;
    let ana = with_canary(&world).await;
    let unreadable = json!({"program": "error(\"no use for \" + .)"});
    ana.deploy(using("logs", "log", json!({})), "manual").await.ok();
    ana.deploy(using("results", "response", json!({"lanes": []})), "manual").await.ok();
    ana.deploy(using("errors", "json", unreadable), "manual").await.ok();

    let mut shown = String::new();
    for project in ["logs", "results", "errors"] {
        let run = ran(&world, &ana, project).await;
        world.advance(seconds(10)).await;
        let path = format!("/v1/runs/{}", run["id"].as_str().unwrap());
        for path in [path.clone(), format!("{path}/logs"), format!("/v1/deployments/{project}")] {
            shown.push_str(&ana.get(&path).await.ok().to_string());
        }
    }
    for path in ["/v1/secrets", "/v1/runs", "/v1/deployments"] {
        shown.push_str(&ana.get(path).await.ok().to_string());
    }

    assert!(shown.matches("<TOKEN>").count() >= 3, "it is masked in the log, the result and the error: {shown}");
    assert!(shown.contains("\"failed\""), "{shown}");
    assert!(!shown.contains("c4nary"), "{shown}");
}

#[tokio::test]
async fn neither_setting_nor_refusing_a_value_shows_it() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let long = CANARY.repeat(300);

    let set = ana.put("/v1/secrets/TOKEN", json!({"value": CANARY})).await;
    let malformed = ana.put("/v1/secrets/TOKEN", json!({"value": {"inner": CANARY}})).await;
    let unnamed = ana.put("/v1/secrets/not%20a%20name", json!({"value": CANARY})).await;
    let too_long = ana.put("/v1/secrets/TOKEN", json!({"value": long})).await;

    assert_eq!(set.status, 200);
    for answer in [&malformed, &unnamed, &too_long] {
        assert_eq!(answer.status, 400, "{}", answer.body);
    }
    for answer in [set, malformed, unnamed, too_long] {
        assert!(!answer.body.to_string().contains("c4nary"), "{}", answer.body);
    }
}

#[tokio::test]
async fn a_secret_is_sealed_where_it_is_stored() {
    let world = TestPlane::new().await;
    let ana = with_canary(&world).await;
    ana.put("/v1/secrets/SAME", json!({"value": CANARY})).await.ok();

    let owner = OwnerId::parse("ana").unwrap();
    let mut sealed = Vec::new();
    for name in ["TOKEN", "SAME"] {
        let stored = world.plane.store.secret(&owner, &SecretName::parse(name).unwrap()).await.unwrap().unwrap();
        assert!(!serde_json::to_string(&stored).unwrap().contains("c4nary"));
        sealed.push(stored.sealed);
    }

    // In base 64 the value would begin with these characters.
    assert!(sealed.iter().all(|sealed| !sealed.contains("YzRuYXJ5")), "{sealed:?}");
    assert_ne!(sealed[0], sealed[1], "equal values look different once sealed");
    // It is sealed for its owner and its name.
    let opened = world.plane.cipher.open(&OwnerId::parse("bob").unwrap(), "TOKEN", &sealed[0]).await;
    assert!(opened.is_err());
    assert!(world.plane.cipher.open(&owner, "SAME", &sealed[0]).await.is_err());
}

#[tokio::test]
async fn only_an_administrator_sets_secrets() {
    let world = TestPlane::new().await;
    let operator = world.user_with("ana", &Scope::DEFAULT).await;

    let answer = operator.put("/v1/secrets/TOKEN", json!({"value": CANARY})).await;

    assert!(!answer.body.to_string().contains("c4nary"));
    assert_eq!(answer.refused(403), "permission_denied");
}

#[tokio::test]
async fn a_repetition_with_the_same_idempotency_key_does_not_set_an_old_value_again() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let set = async |key: &str, value: &str| {
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        let body = json!({"value": value}).to_string();
        ana.send(http::Method::PUT, "/v1/secrets/TOKEN", &headers, body.into_bytes()).await
    };
    let first = set("k-1", "old").await;
    world.sleep(seconds(1));
    set("k-2", CANARY).await.ok();

    let again = set("k-1", "old").await;

    assert_eq!((&again.body, &again.headers["idempotent-replayed"]), (&first.body, &"true".parse().unwrap()));
    ana.deploy(using("p", "file_sink", json!({"path": "out.txt"})), "manual").await.ok();
    ran(&world, &ana, "p").await;
    assert!(std::fs::read_to_string(world.folder().join("ana/out.txt")).unwrap().contains(CANARY));
    assert_eq!(set("k-1", "new").await.refused(409), "conflict");
}

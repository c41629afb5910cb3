//! The doctor: what must hold of an owner's deployments.

use crate::given::{broken, deaf, lose_timers, queued, run};
use serde_json::{Value, json};
use tidemill_model::key::Scope;
use tidemill_testing::{TestPlane, User, minutes, pipeline, seconds};

async fn doctor(user: &User) -> Value {
    user.post("/v1/doctor", Value::Null).await.ok()
}

async fn fix(user: &User) -> Value {
    user.post("/v1/doctor?fix=true", Value::Null).await.ok()
}

/// What was found: check, project, and whether it was fixed.
fn found(report: &Value) -> Vec<(&str, &str, bool)> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .map(|finding| {
            let text = |field: &str| finding[field].as_str().unwrap();
            (text("check"), text("project"), finding["fixed"].as_bool().unwrap())
        })
        .collect()
}

#[tokio::test]
async fn a_plane_that_works_is_healthy() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "* * * * *").await.ok();
    ana.deploy(pipeline("q"), "manual").await.ok();
    ana.patch("/v1/deployments/p", json!({"schedule": "*/2 * * * *"})).await.ok();
    world.advance(minutes(5)).await;
    ana.post("/v1/deployments/p/pause", json!({})).await.ok();
    world.advance(minutes(5)).await;
    ana.post("/v1/deployments/p/resume", Value::Null).await.ok();
    world.advance(minutes(5)).await;

    assert_eq!(doctor(&ana).await, json!({"healthy": true, "deployments": 2, "findings": []}));
}

#[tokio::test]
async fn a_timer_that_is_missing_is_found_and_with_fix_is_set() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "* * * * *").await.ok();
    lose_timers(&world).await;

    for _ in 0..2 {
        let report = doctor(&ana).await;
        assert_eq!((&report["healthy"], found(&report)), (&json!(false), vec![("timer", "p", false)]));
    }
    let report = fix(&ana).await;
    assert_eq!((&report["healthy"], found(&report)), (&json!(true), vec![("timer", "p", true)]));

    assert_eq!(doctor(&ana).await["findings"], json!([]));
    world.advance(minutes(2)).await;
    assert_eq!(ana.ticks("p").await, ["ran", "ran"]);
}

#[tokio::test]
async fn a_run_without_a_worker_is_found_and_with_fix_runs() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "manual").await.ok();
    let id = queued(&ana.at(&deaf(&world)), "p").await;
    assert_eq!(doctor(&ana).await["healthy"], true, "it may wait for a moment");
    world.advance(seconds(61)).await;

    let report = doctor(&ana).await;
    assert_eq!(found(&report), [("run", "p", false)]);
    assert!(report["findings"][0]["message"].as_str().unwrap().contains(&id), "{report}");
    world.settle().await;
    assert_eq!(run(&ana, &id).await["state"], "queued", "looking changes nothing");

    fix(&ana).await;
    world.settle().await;
    assert_eq!(run(&ana, &id).await["state"], "succeeded");
    assert_eq!(doctor(&ana).await["healthy"], true);
}

#[tokio::test]
async fn a_tick_that_was_not_taken_is_found_and_with_fix_runs() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "1 * * * *").await.ok();
    world.sleep(minutes(5));

    let report = doctor(&ana).await;
    assert_eq!(found(&report), [("tick", "p", false)]);
    assert!(report["findings"][0]["message"].as_str().unwrap().contains("10:01"), "{report}");
    fix(&ana).await;
    world.settle().await;

    assert_eq!(ana.ticks("p").await, ["ran"]);
    assert_eq!(doctor(&ana).await["healthy"], true);
}

#[tokio::test]
async fn the_doctor_looks_at_its_callers_deployments_only() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let bob = world.user("bob").await;
    bob.deploy(pipeline("p"), "* * * * *").await.ok();
    world.sleep(minutes(10));

    assert_eq!(doctor(&ana).await, json!({"healthy": true, "deployments": 0, "findings": []}));
    assert_eq!(doctor(&bob).await["healthy"], false);
}

#[tokio::test]
async fn only_an_administrator_calls_the_doctor() {
    let world = TestPlane::new().await;
    let operator = world.user_with("ana", &Scope::DEFAULT).await;

    assert_eq!(operator.post("/v1/doctor", Value::Null).await.refused(403), "permission_denied");
}

#[tokio::test]
async fn a_secret_that_is_too_short_to_be_masked_is_a_warning() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    for (name, value) in [("PIN", "12345"), ("CODE", "123456"), ("TOKEN", "12345")] {
        ana.put(&format!("/v1/secrets/{name}"), json!({"value": value})).await.ok();
    }
    ana.put("/v1/secrets/TOKEN", json!({"value": "long enough"})).await.ok();

    let report = doctor(&ana).await;

    assert_eq!((&report["healthy"], found(&report)), (&json!(true), vec![("secret", "", false)]));
    let message = report["findings"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("secret `PIN` has fewer than 6 characters"), "{message}");
}

#[tokio::test]
async fn a_deployment_whose_last_three_runs_failed_is_named_with_the_reason() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(broken("p"), "* * * * *").await.ok();
    ana.deploy(pipeline("q"), "* * * * *").await.ok();
    world.advance(minutes(2)).await;
    assert_eq!(doctor(&ana).await["findings"], json!([]), "two may be chance");

    world.advance(minutes(1)).await;

    let report = doctor(&ana).await;
    assert_eq!((&report["healthy"], found(&report)), (&json!(true), vec![("failing", "p", false)]));
    let run = ana.runs("p").await.last().unwrap().clone();
    let (message, error) =
        (report["findings"][0]["message"].as_str().unwrap(), run["error"]["message"].as_str().unwrap());
    assert!(message.contains(run["id"].as_str().unwrap()) && message.contains(error), "{message}");
    ana.patch("/v1/deployments/p", json!({"pipeline": pipeline("p")})).await.ok();
    world.advance(minutes(1)).await;
    assert_eq!(doctor(&ana).await["findings"], json!([]));
}

#[tokio::test]
async fn a_deployment_whose_last_three_due_minutes_were_skipped_is_named_unless_it_is_paused() {
    let world = TestPlane::new().await;
    let (ana, other) = (world.user("ana").await, world.user("ana").await);
    ana.deploy(pipeline("paused"), "* * * * *").await.ok();
    other.deploy(pipeline("errored"), "* * * * *").await.ok();
    ana.post("/v1/deployments/paused/pause", json!({})).await.ok();
    ana.delete(&format!("/v1/keys/{}", other.key_id)).await.ok();
    world.advance(minutes(2)).await;
    assert_eq!(doctor(&ana).await["findings"], json!([]));

    world.advance(minutes(1)).await;

    let report = doctor(&ana).await;
    assert_eq!(found(&report), [("skipping", "errored", false)]);
    assert!(report["findings"][0]["message"].as_str().unwrap().contains("key was revoked"), "{report}");
}

#[tokio::test]
async fn removed_deployments_are_neither_counted_nor_named() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "manual").await.ok();
    ana.deploy(broken("q"), "* * * * *").await.ok();
    world.advance(minutes(3)).await;
    ana.delete("/v1/deployments/q").await.ok();

    assert_eq!(doctor(&ana).await, json!({"healthy": true, "deployments": 1, "findings": []}));
}

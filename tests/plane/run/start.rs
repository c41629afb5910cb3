//! Running a deployment on demand.

use crate::given::{broken, echo, queued, run};
use serde_json::{Value, json};
use tidemill_testing::{TestPlane, User, pipeline};

async fn deployed(world: &TestPlane) -> User {
    let ana = world.user("ana").await;
    ana.deploy(echo("p"), "manual").await.ok();
    ana
}

#[tokio::test]
async fn a_run_is_queued_at_once_and_then_runs() {
    let world = TestPlane::new().await;
    let ana = deployed(&world).await;

    let started = ana.post("/v1/deployments/p/runs", Value::Null).await;

    assert_eq!(started.status, 202);
    let started = started.ok();
    assert_eq!((&started["state"], &started["trigger"]), (&json!("queued"), &json!("manual")));
    assert_eq!((&started["attempt"], &started["version"]), (&json!(1), &json!(1)));
    world.settle().await;
    let ended = run(&ana, started["id"].as_str().unwrap()).await;
    assert_eq!(ended["state"], "succeeded");
    assert_eq!(ended["endedAt"], "2026-03-02T10:00:30Z");
}

#[tokio::test]
async fn text_and_json_reach_the_source_as_what_they_are() {
    let world = TestPlane::new().await;
    let ana = deployed(&world).await;

    for (input, lane, result) in [
        (json!("good morning"), "text", json!("good morning\n\n")),
        (json!({"n": 1.5, "s": "ü"}), "documents", json!({"n": 1.5, "s": "ü"})),
        (json!([1, null]), "documents", json!([1, null])),
    ] {
        let started = ana.post("/v1/deployments/p/runs", json!({"input": input})).await.ok();
        world.settle().await;
        let ended = run(&ana, started["id"].as_str().unwrap()).await;
        assert_eq!(ended["result"][lane], json!([result]), "{ended}");
    }
}

#[tokio::test]
async fn a_project_never_runs_twice_at_once() {
    let world = TestPlane::new().await;
    let ana = deployed(&world).await;
    let going = queued(&ana, "p").await;

    let refused = ana.post("/v1/deployments/p/runs", json!({})).await;

    assert!(refused.body["message"].as_str().unwrap().contains(&going), "{}", refused.body);
    assert_eq!(refused.refused(409), "conflict");
    world.settle().await;
    ana.post("/v1/deployments/p/runs", json!({})).await.ok();
}

#[tokio::test]
async fn of_runs_started_at_once_one_is_made() {
    let world = TestPlane::new().await;
    let ana = deployed(&world).await;

    let answers =
        futures::future::join_all((0..10).map(|_| ana.post("/v1/deployments/p/runs", json!({"input": "x"})))).await;

    assert_eq!(answers.iter().filter(|answer| answer.status == 202).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.body["code"] == "conflict").count(), 9);
    assert_eq!(ana.runs("p").await.len(), 1);
}

#[tokio::test]
async fn a_paused_project_is_not_run_and_a_resumed_one_is() {
    let world = TestPlane::new().await;
    let ana = deployed(&world).await;
    ana.post("/v1/deployments/p/pause", json!({})).await.ok();

    let refused = ana.post("/v1/deployments/p/runs", json!({})).await;

    assert_eq!(refused.body["hint"], "resume it first");
    let _ = refused.refused(409);
    assert_eq!(ana.runs("p").await.len(), 0);
    ana.post("/v1/deployments/p/resume", Value::Null).await.ok();
    ana.post("/v1/deployments/p/runs", json!({})).await.ok();
}

#[tokio::test]
async fn a_retry_with_the_same_idempotency_key_starts_nothing_new() {
    let world = TestPlane::new().await;
    let ana = deployed(&world).await;
    let start = |input: &str| {
        let headers = [("content-type", "application/json"), ("idempotency-key", "k-1")];
        let body = json!({"input": input}).to_string().into_bytes();
        let ana = ana.clone();
        async move { ana.send(http::Method::POST, "/v1/deployments/p/runs", &headers, body).await }
    };

    let first = start("a").await.ok();
    world.settle().await;
    let second = start("a").await.ok();

    assert_eq!(first, second);
    assert_eq!(ana.runs("p").await.len(), 1);
    assert_eq!(start("b").await.refused(409), "conflict");
}

#[tokio::test]
async fn a_project_that_is_not_deployed_is_not_found() {
    let world = TestPlane::new().await;
    let ana = deployed(&world).await;

    assert_eq!(ana.post("/v1/deployments/q/runs", json!({})).await.refused(404), "not_found");
    assert_eq!(ana.post("/v1/deployments/q/runs", json!({"input": 1})).await.refused(404), "not_found");
    ana.delete("/v1/deployments/p").await.ok();
    assert_eq!(ana.post("/v1/deployments/p/runs", json!({})).await.refused(404), "not_found");
}

#[tokio::test]
async fn a_run_by_hand_does_not_use_up_a_tick() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "*/5 * * * *").await.ok();

    ana.post("/v1/deployments/p/runs", json!({})).await.ok();
    world.advance(tidemill_testing::minutes(5)).await;

    let triggers: Vec<_> = ana.runs("p").await.iter().map(|run| run["trigger"].clone()).collect();
    assert_eq!(triggers, ["manual", "schedule"]);
    assert_eq!(ana.ticks("p").await, ["ran"]);
}

#[tokio::test]
async fn a_failed_run_leaves_the_project_ready_to_run() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(broken("p"), "manual").await.ok();

    for _ in 0..2 {
        let id = queued(&ana, "p").await;
        world.settle().await;
        assert_eq!(run(&ana, &id).await["state"], "failed");
    }
    assert_eq!(ana.get("/v1/deployments/p").await.ok()["state"], "active");
}

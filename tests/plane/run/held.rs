//! What becomes of the runs that wait when their deployment is paused or removed.

use crate::given::{deaf, echo, run};
use serde_json::{Value, json};
use tidemill_operations::bell::QueueKind;
use tidemill_testing::{Death, TestPlane, User, minutes};

async fn hook(ana: &User) -> String {
    ana.deploy(echo("p"), "manual").await.ok()["hook"].as_str().unwrap().to_owned()
}

/// Has bodies accepted, and gives their runs.
async fn accepted(caller: &User, hook: &str, count: usize) -> Vec<String> {
    let mut runs = Vec::new();
    for _ in 0..count {
        let headers = [("content-type", "text/plain")];
        let answer = caller.send(http::Method::POST, hook, &headers, b"hi".to_vec()).await.ok();
        runs.push(answer["id"].as_str().unwrap().to_owned());
    }
    runs
}

async fn states(ana: &User, runs: &[String]) -> Vec<Value> {
    let mut states = Vec::new();
    for id in runs {
        states.push(run(ana, id).await["state"].clone());
    }
    states
}

#[tokio::test]
async fn runs_that_wait_are_held_while_their_project_is_paused_and_go_on_when_it_is_resumed() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let hook = hook(&ana).await;
    let runs = accepted(&world.anonymous(), &hook, 3).await;
    world.answer(QueueKind::Runs).await;
    assert_eq!(states(&ana, &runs).await, ["succeeded", "queued", "queued"]);

    let paused = ana.post("/v1/deployments/p/pause", json!({})).await.ok();
    world.settle().await;
    world.advance(minutes(20)).await;
    world.sweep().await;
    world.settle().await;

    assert_eq!(paused["heldRuns"], 2);
    assert_eq!(states(&ana, &runs).await, ["succeeded", "queued", "queued"]);
    assert_eq!(ana.post("/v1/doctor", Value::Null).await.ok()["findings"], json!([]), "nothing is wrong with them");

    ana.post("/v1/deployments/p/resume", Value::Null).await.ok();
    world.settle().await;
    assert_eq!(states(&ana, &runs).await, ["succeeded", "succeeded", "succeeded"]);
}

#[tokio::test]
async fn held_runs_go_on_although_the_process_died_as_their_project_was_resumed() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let hook = hook(&ana).await;
    let runs = accepted(&world.anonymous(), &hook, 2).await;
    ana.post("/v1/deployments/p/pause", json!({})).await.ok();
    world.settle().await;

    ana.at(&deaf(&world)).post("/v1/deployments/p/resume", Value::Null).await.ok();
    world.settle().await;
    assert_eq!(states(&ana, &runs).await, ["queued", "queued"], "their bells were lost");
    world.advance(minutes(1)).await;
    world.sweep().await;
    world.settle().await;

    assert_eq!(states(&ana, &runs).await, ["succeeded", "succeeded"]);
}

#[tokio::test]
async fn runs_that_wait_are_cancelled_when_their_project_is_removed() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let hook = hook(&ana).await;
    let runs = accepted(&world.anonymous(), &hook, 3).await;
    world.answer(QueueKind::Runs).await;

    let removed = ana.delete("/v1/deployments/p").await.ok();
    assert_eq!(removed, json!({"cancelledRuns": 2}));
    world.settle().await;

    assert_eq!(states(&ana, &runs).await, ["succeeded", "cancelled", "cancelled"]);
}

#[tokio::test]
async fn runs_that_wait_are_cancelled_wherever_the_process_dies_as_their_project_is_removed() {
    for call in 3..9 {
        let mut world = TestPlane::new().await;
        let ana = world.user("ana").await;
        let hook = hook(&ana).await;
        let runs = accepted(&world.anonymous(), &hook, 3).await;
        world.faults.die(Some(Death::After(call)));
        ana.delete("/v1/deployments/p").await;
        world = world.restarted().await;
        let ana = ana.at(&world.plane);
        if ana.get("/v1/deployments/p").await.status == 200 {
            ana.delete("/v1/deployments/p").await.ok();
        }
        world.settle().await;

        assert_eq!(states(&ana, &runs).await, ["cancelled", "cancelled", "cancelled"], "it died at call {call}");
    }
}

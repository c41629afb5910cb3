//! Callers who hang up, at every call of the table that their request makes: what was written goes on by itself, without a
//! sweep, and what was not written is not there.

use crate::given::echo;
use crate::given::rollouts::rollout;
use http::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use tidemill_testing::{Answer, TestPlane, minutes, pipeline};
use tokio::task::yield_now;

/// Hangs up while a call of the table is on its way, counted from 0; `false` if the request makes fewer.
async fn hung_up(world: &TestPlane, request: impl Future<Output = Answer>, call: usize) -> bool {
    world.faults.die(None);
    let holders = Arc::strong_count(&world.plane);
    let hold = world.faults.hold("", call);
    let is_answered = tokio::select! {
        _ = request => true,
        () = hold.arrived() => false,
    };
    hold.release();
    // Whatever still works on it holds the plane; the request itself borrows its caller.
    while Arc::strong_count(&world.plane) > holders {
        yield_now().await;
    }
    world.faults.die(None);
    !is_answered
}

#[tokio::test]
async fn the_body_of_a_caller_who_hung_up_is_run_at_once_or_was_not_taken() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let hook = ana.deploy(echo("p"), "manual").await.ok()["hook"].as_str().unwrap().to_owned();
    let anyone = world.anonymous();

    let mut calls = 0;
    let headers = [("content-type", "text/plain")];
    while hung_up(&world, anyone.send(Method::POST, &hook, &headers, b"hi".to_vec()), calls).await {
        calls += 1;
    }
    world.settle().await;

    let runs = ana.runs("p").await;
    assert!(calls > 1 && runs.len() >= 2, "{calls} calls, {} runs", runs.len());
    assert!(runs.iter().all(|run| run["state"] == "succeeded"), "{runs:?}");
}

#[tokio::test]
async fn the_rollout_of_a_caller_who_hung_up_is_carried_out_at_once() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    let mut calls = 0;
    while hung_up(
        &world,
        ana.post("/v1/rollouts", rollout(&format!("g{calls}"), &[&format!("p{calls}")], "one")),
        calls,
    )
    .await
    {
        calls += 1;
    }
    world.settle().await;

    let rollouts = ana.get("/v1/rollouts").await.ok()["items"].as_array().unwrap().clone();
    assert!(calls > 1 && rollouts.len() >= 2, "{calls} calls, {} rollouts", rollouts.len());
    assert!(rollouts.iter().all(|one| one["state"] == "succeeded"), "{rollouts:?}");
}

#[tokio::test]
async fn the_schedule_of_a_caller_who_hung_up_fires_in_the_next_minute() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    let mut calls = 0;
    let added = |calls: usize| json!({"pipeline": pipeline(&format!("p{calls}")), "schedule": "* * * * *"});
    while hung_up(&world, ana.post("/v1/deployments", added(calls)), calls).await {
        calls += 1;
    }
    world.advance(minutes(1)).await;

    let list = ana.get("/v1/deployments").await.ok()["items"].as_array().unwrap().clone();
    let projects: Vec<&str> = list.iter().filter_map(|one| one["project"].as_str()).collect();
    assert!(calls > 1 && projects.len() >= 2, "{calls} calls, {projects:?}");
    for project in projects {
        assert_eq!(ana.ticks(project).await, ["ran"], "{project}");
        let runs: Vec<Value> = ana.runs(project).await.iter().map(|run| run["state"].clone()).collect();
        assert_eq!(runs, ["succeeded"], "{project}");
    }
}

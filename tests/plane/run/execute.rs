//! Executing runs: attempts, limits, and one worker at a time, whatever dies.

use crate::given::{
    broken, chain, copied, copy, echo, lines, queued, ran, run, run_bell, stored, unreachable, while_it_runs,
};
use serde_json::json;
use std::time::Duration;
use tidemill_testing::{TestPlane, minutes, seconds};

#[tokio::test]
async fn a_run_that_keeps_failing_has_three_attempts_and_shows_its_error() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(unreachable("p"), "manual").await.ok();

    let first = ran(&world, &ana, "p").await;
    assert_eq!((&first["state"], &first["attempt"]), (&json!("queued"), &json!(2)));
    assert_eq!(first["error"]["component"], "http_request_1", "why it is tried again is shown");

    // The pauses are at most 1 s and 2 s.
    let id = first["id"].as_str().unwrap();
    world.advance(seconds(1)).await;
    assert_eq!(run(&ana, id).await["attempt"], 3);
    world.advance(seconds(2)).await;
    let ended = run(&ana, id).await;
    assert_eq!((&ended["state"], &ended["attempt"]), (&json!("failed"), &json!(3)));
    assert!(ended["error"]["message"].is_string(), "{ended}");
    world.advance(minutes(10)).await;
    assert_eq!(run(&ana, id).await, ended);
}

#[tokio::test]
async fn no_bell_makes_an_attempt_start_before_its_time() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(unreachable("p"), "manual").await.ok();
    let waiting = ran(&world, &ana, "p").await;
    let id = waiting["id"].as_str().unwrap();
    let not_before = stored(&world, id).await.not_before.unwrap();
    assert!(not_before > world.now());

    for _ in 0..5 {
        world.plane.ring(run_bell(id), Duration::ZERO).await;
        world.settle().await;
    }

    assert_eq!(run(&ana, id).await, waiting);
    world.clock.set(not_before);
    world.settle().await;
    assert_eq!(run(&ana, id).await["attempt"], 3);
}

#[tokio::test]
async fn a_deployment_says_how_many_attempts_its_runs_have() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    for (attempts, project) in [(1, "one"), (5, "five")] {
        ana.post("/v1/deployments", json!({"pipeline": unreachable(project), "maxAttempts": attempts})).await.ok();
        let id = queued(&ana, project).await;
        world.advance(minutes(2)).await;
        let ended = run(&ana, &id).await;
        assert_eq!((&ended["state"], &ended["attempt"]), (&json!("failed"), &json!(attempts)));
    }
}

#[tokio::test]
async fn a_failure_that_no_retry_mends_is_not_tried_again() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(broken("p"), "manual").await.ok();

    let ended = ran(&world, &ana, "p").await;

    assert_eq!((&ended["state"], &ended["attempt"]), (&json!("failed"), &json!(1)));
}

#[tokio::test]
async fn a_run_over_its_time_limit_is_timed_out_and_says_so() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let written = lines(&world, 3_000);
    ana.post("/v1/deployments", json!({"pipeline": copy("p"), "timeoutSeconds": 60})).await.ok();
    let id = queued(&ana, "p").await;

    while_it_runs(&world, &ana, &id, async { world.sleep(seconds(61)) }).await;

    let ended = run(&ana, &id).await;
    assert_eq!(ended["state"], "timed_out");
    assert!(ended["error"]["message"].as_str().unwrap().contains("60 s"), "{ended}");
    assert!(ended["error"]["hint"].as_str().unwrap().contains("timeoutSeconds"), "{ended}");
    assert!(copied(&world).len() < written.len());
    world.advance(minutes(5)).await;
    assert_eq!(run(&ana, &id).await, ended, "it is not tried again");
}

#[tokio::test]
async fn a_run_keeps_the_version_that_it_was_queued_with() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let saying = |text: &str| {
        let template = ("template", json!({"template": text}), "text");
        chain("p", &[("timer", json!({}), "documents"), template, ("response", json!({"lanes": []}), "")])
    };
    ana.deploy(saying("one"), "manual").await.ok();
    let id = queued(&ana, "p").await;

    ana.patch("/v1/deployments/p", json!({"pipeline": saying("two")})).await.ok();
    world.settle().await;

    let first = run(&ana, &id).await;
    let second = ran(&world, &ana, "p").await;
    assert_eq!((&first["version"], &first["result"]["text"]), (&json!(1), &json!(["one\n\n"])));
    assert_eq!((&second["version"], &second["result"]["text"]), (&json!(2), &json!(["two\n\n"])));
}

#[tokio::test]
async fn a_run_that_waits_in_line_before_the_one_that_may_run_does_not_hold_it_up() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let hook = ana.deploy(echo("p"), "* * * * *").await.ok()["hook"].as_str().unwrap().to_owned();

    // The webhook's bell rings first, but the run by hand has the right to run.
    world.anonymous().post(&hook, json!({"n": 1})).await.ok();
    queued(&ana, "p").await;
    world.advance(seconds(29)).await;
    // And then a tick's run has it.
    world.anonymous().post(&hook, json!({"n": 2})).await.ok();
    world.advance(minutes(2)).await;

    let runs = ana.runs("p").await;
    assert!(runs.iter().all(|run| run["state"] == "succeeded"), "{runs:?}");
    assert_eq!(ana.ticks("p").await, ["ran", "ran"]);
    assert_eq!(runs.len(), 5);
}

#[tokio::test]
async fn a_run_that_waits_does_not_hurry_the_next_attempt_of_the_one_before_it() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let hook = ana.deploy(unreachable("p"), "manual").await.ok()["hook"].as_str().unwrap().to_owned();
    let waiting = ran(&world, &ana, "p").await;

    let later = world.anonymous().post(&hook, json!({})).await.ok();
    world.settle().await;
    assert_eq!(run(&ana, waiting["id"].as_str().unwrap()).await, waiting);
    assert_eq!(run(&ana, later["id"].as_str().unwrap()).await["startedAt"], json!(null));

    world.advance(minutes(1)).await;
    for id in [&waiting["id"], &later["id"]] {
        let ended = run(&ana, id.as_str().unwrap()).await;
        assert_eq!((&ended["state"], &ended["attempt"]), (&json!("failed"), &json!(3)));
    }
}

//! Cancelling runs.

use crate::given::{chain, copied, copy, lines, queued, ran, run, run_bell, unreachable, while_it_runs};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::sync::mpsc::channel;
use std::time::Duration;
use tidemill_operations::bell::QueueKind;
use tidemill_testing::{TestPlane, User, minutes, pipeline};

async fn cancel(user: &User, id: &str) -> tidemill_testing::Answer {
    user.post(&format!("/v1/runs/{id}/cancel"), Value::Null).await
}

#[tokio::test]
async fn a_run_that_waits_ends_at_once_and_never_starts() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "manual").await.ok();
    let id = queued(&ana, "p").await;

    let cancelled = cancel(&ana, &id).await.ok();

    assert_eq!(cancelled["state"], "cancelled");
    assert_eq!(cancelled["endedAt"], "2026-03-02T10:00:30Z");
    world.settle().await;
    let ended = run(&ana, &id).await;
    assert_eq!((&ended["state"], &ended["startedAt"]), (&json!("cancelled"), &Value::Null));
    assert_eq!(ended.get("result"), Some(&Value::Null));
}

#[tokio::test]
async fn a_run_that_is_going_ends_after_what_it_has_in_hand() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let written = lines(&world, 3_000);
    ana.deploy(copy("p"), "manual").await.ok();
    let id = queued(&ana, "p").await;

    let asked = while_it_runs(&world, &ana, &id, cancel(&ana, &id)).await.ok();

    assert_eq!((&asked["state"], asked["cancelRequestedAt"].is_string()), (&json!("running"), true));
    let ended = run(&ana, &id).await;
    assert_eq!((&ended["state"], &ended["error"]), (&json!("cancelled"), &Value::Null));
    let done = copied(&world);
    assert!(!done.is_empty() && done.len() < written.len(), "{} lines", done.len());
    assert_eq!(done, written[..done.len()], "what it did is whole");
    assert!(ended["objects"].as_u64().unwrap() >= done.len() as u64);
    world.advance(minutes(5)).await;
    assert_eq!(copied(&world), done, "it does not go on");
}

#[tokio::test]
async fn a_run_that_waits_for_its_next_attempt_has_none() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(unreachable("p"), "manual").await.ok();
    let waiting = ran(&world, &ana, "p").await;
    assert_eq!((&waiting["state"], &waiting["attempt"]), (&json!("queued"), &json!(2)));

    let id = waiting["id"].as_str().unwrap();
    let cancelled = cancel(&ana, id).await.ok();

    assert_eq!(cancelled["state"], "cancelled");
    world.advance(minutes(5)).await;
    assert_eq!(run(&ana, id).await, cancelled);
}

/// Deploys what takes long: a request that is taken, and hung up on without an answer when the caller says so.
async fn with_slow_run(user: &User) -> (String, impl FnOnce()) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (hang_up, hung_up) = channel::<()>();
    std::thread::spawn(move || {
        let taken = listener.accept().unwrap();
        hung_up.recv().unwrap();
        drop(taken);
    });
    let request = ("http_request", json!({"url": url, "retries": 0}), "text");
    let pipeline = chain("p", &[("timer", json!({}), "text"), request, ("response", json!({"lanes": []}), "")]);
    user.deploy(pipeline, "manual").await.ok();
    let id = queued(user, "p").await;
    (id, move || hang_up.send(()).unwrap())
}

#[tokio::test]
async fn a_run_that_fails_after_it_was_asked_to_end_is_not_tried_again() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let (id, finish) = with_slow_run(&ana).await;

    let meanwhile = async {
        while run(&ana, &id).await["state"] != "running" {
            tokio::task::yield_now().await;
        }
        let asked = cancel(&ana, &id).await.ok();
        finish();
        asked
    };
    let (_, asked) = futures::join!(world.answer(QueueKind::Runs), meanwhile);

    assert_eq!(asked["state"], "running");
    let ended = run(&ana, &id).await;
    assert_eq!((&ended["state"], &ended["attempt"]), (&json!("cancelled"), &json!(1)));
    assert_eq!(ended["endedAt"], "2026-03-02T10:00:30Z");
    world.advance(minutes(5)).await;
    assert_eq!(run(&ana, &id).await, ended);
}

#[tokio::test]
async fn a_run_that_has_ended_cannot_be_cancelled() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "manual").await.ok();
    let ended = ran(&world, &ana, "p").await;
    let id = ended["id"].as_str().unwrap();

    let refused = cancel(&ana, id).await;

    assert!(refused.body["message"].as_str().unwrap().contains("succeeded"), "{}", refused.body);
    assert_eq!(refused.refused(409), "failed_precondition");
    assert_eq!(run(&ana, id).await, ended);
}

#[tokio::test]
async fn cancelling_twice_asks_once() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let (id, finish) = with_slow_run(&ana).await;

    let meanwhile = async {
        while run(&ana, &id).await["state"] != "running" {
            tokio::task::yield_now().await;
        }
        let first = cancel(&ana, &id).await.ok();
        world.sleep(minutes(1));
        let second = cancel(&ana, &id).await.ok();
        finish();
        (first, second)
    };
    let (_, (first, second)) = futures::join!(world.answer(QueueKind::Runs), meanwhile);

    assert_eq!(first["cancelRequestedAt"], second["cancelRequestedAt"]);
    assert_eq!(run(&ana, &id).await["state"], "cancelled");
}

#[tokio::test]
async fn after_a_cancelled_run_the_next_one_runs() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "* * * * *").await.ok();
    let id = queued(&ana, "p").await;
    cancel(&ana, &id).await.ok();
    // A bell that comes late finds nothing to do.
    world.plane.ring(run_bell(&id), Duration::ZERO).await;

    world.advance(minutes(1)).await;

    let states: Vec<_> = ana.runs("p").await.iter().map(|run| run["state"].clone()).collect();
    assert_eq!(states, ["cancelled", "succeeded"]);
}

#[tokio::test]
async fn a_run_that_does_not_exist_is_not_found() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    assert_eq!(cancel(&ana, "0000000000000000000000000A").await.refused(404), "not_found");
}

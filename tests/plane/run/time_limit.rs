//! A run's time limit is one limit, across all workers and hand-overs.

use crate::given::{copied, copy, lines, queued, run, unreachable};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use tidemill_testing::{Death, TestPlane, User, minutes, seconds};

/// Calls of a worker after which a run has begun and is not through.
const IN_THE_MIDDLE: usize = 12;

/// Ana's copy of many lines, with a limit of 60 s, in the middle of its run when its worker dies.
async fn cut_run() -> (TestPlane, User, String) {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    lines(&world, 3_000);
    ana.post("/v1/deployments", json!({"pipeline": copy("p"), "timeoutSeconds": 60})).await.ok();
    let id = queued(&ana, "p").await;
    die_at_work(&world).await;
    (world, ana, id)
}

async fn die_at_work(world: &TestPlane) {
    world.faults.die(Some(Death::After(IN_THE_MIDDLE)));
    world.settle().await;
    assert!(world.faults.is_dead(), "it ends before its worker dies");
}

/// The next process of a plane, and what it shows of the run once it came to rest.
async fn after_restart(world: TestPlane, ana: &User, id: &str) -> (TestPlane, Value) {
    let world = world.restarted().await;
    world.settle().await;
    let shown = run(&ana.at(&world.plane), id).await;
    (world, shown)
}

#[tokio::test]
async fn a_time_limit_counts_on_when_another_worker_takes_over() {
    let (world, ana, id) = cut_run().await;
    world.sleep(seconds(40));
    let world = world.restarted().await;
    die_at_work(&world).await;
    world.sleep(seconds(19));
    let world = world.restarted().await;
    die_at_work(&world).await;
    world.sleep(seconds(1));

    let (world, ended) = after_restart(world, &ana, &id).await;

    assert_eq!(ended["state"], "timed_out", "no worker had it for 60 s, all three together did: {ended}");
    assert!(copied(&world).len() < 3_000);
}

#[tokio::test]
async fn a_run_whose_limit_passed_while_no_worker_held_it_ends_as_timed_out() {
    let (world, ana, id) = cut_run().await;
    let before = copied(&world).len();
    world.sleep(seconds(60));

    let (world, ended) = after_restart(world, &ana, &id).await;

    assert_eq!(ended["state"], "timed_out");
    assert_eq!(copied(&world).len(), before, "nothing more is done for it");
}

#[tokio::test]
async fn a_run_that_was_to_be_cancelled_when_its_worker_died_ends_as_cancelled_whatever_its_limit() {
    let (world, ana, id) = cut_run().await;
    let world = world.without_bells().await;
    ana.at(&world.plane).post(&format!("/v1/runs/{id}/cancel"), Value::Null).await.ok();
    world.sleep(seconds(90));

    let (_world, ended) = after_restart(world, &ana, &id).await;

    assert_eq!(ended["state"], "cancelled");
}

#[tokio::test]
async fn a_hand_over_does_not_begin_the_limit_anew() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    lines(&world, 3_000);
    ana.post("/v1/deployments", json!({"pipeline": copy("p"), "timeoutSeconds": 900})).await.ok();
    let id = queued(&ana, "p").await;
    // As a Lambda function before its end: it saves, and leaves the run to the next one.
    for _ in 0..2 {
        let hold = world.faults.hold("TransactWriteItems", 0);
        let stop = async {
            hold.arrived().await;
            world.plane.memory.stopping.store(true, Ordering::Relaxed);
            hold.release();
        };
        futures::join!(world.settle(), stop);
        world.plane.memory.stopping.store(false, Ordering::Relaxed);
        world.sleep(minutes(7));
        world.sweep().await;
    }
    world.sleep(minutes(1));

    let (_world, ended) = after_restart(world, &ana, &id).await;

    assert_eq!(ended["state"], "timed_out");
}

/// How Ana's copy of many lines, with a limit of 60 s, ends if something happens to the clock in the middle of its run.
async fn ended_after(happens: impl Fn(&TestPlane)) -> Value {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    lines(&world, 3_000);
    ana.post("/v1/deployments", json!({"pipeline": copy("p"), "timeoutSeconds": 60})).await.ok();
    let id = queued(&ana, "p").await;
    let hold = world.faults.hold("TransactWriteItems", 1);
    let happening = async {
        hold.arrived().await;
        happens(&world);
        hold.release();
    };
    futures::join!(world.settle(), happening);
    run(&ana, &id).await
}

#[tokio::test]
async fn a_clock_that_is_set_ends_no_run() {
    let forward = ended_after(|world| world.set_clock(world.now() + minutes(24 * 60))).await;
    let back = ended_after(|world| {
        world.set_clock(world.now() - minutes(60));
        world.sleep(seconds(61));
    });

    assert_eq!(forward["state"], "succeeded", "no time has gone by: {forward}");
    assert_eq!(back.await["state"], "timed_out", "a minute has gone by, whatever the clock says");
}

#[tokio::test]
async fn each_attempt_has_the_whole_limit() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let limits = json!({"pipeline": unreachable("p"), "timeoutSeconds": 1, "maxAttempts": 4});
    ana.post("/v1/deployments", limits).await.ok();
    let id = queued(&ana, "p").await;

    world.advance(minutes(2)).await;

    let ended = run(&ana, &id).await;
    assert_eq!((&ended["state"], &ended["attempt"]), (&json!("failed"), &json!(4)), "{ended}");
}

//! A step that goes on shows its log and its counts with each renewal of the lease, whatever dies.

use crate::given::{lines, logging, logs, messages, queued, run, run_bell};
use serde_json::{Value, json};
use std::pin::pin;
use std::time::Duration;
use tidemill_operations::bell::QueueKind;
use tidemill_testing::{Death, Hold, TestPlane, User, seconds};

/// Lines that a step of `logging` logs before it asks the table for the second time.
const EARLY: usize = 32;

/// A run of `logging` that is to log a hundred lines.
async fn given(world: &TestPlane) -> (User, String, Vec<String>) {
    let ana = world.user("ana").await;
    let written = lines(world, 100);
    ana.post("/v1/deployments", json!({"pipeline": logging("p"), "timeoutSeconds": 60})).await.ok();
    let id = queued(&ana, "p").await;
    (ana, id, written)
}

/// The table does not answer the second question of `dedupe`, so that the step goes on.
fn stuck(world: &TestPlane) -> Hold {
    world.faults.hold("BatchGetItem", 1)
}

/// The time of a renewal comes.
async fn renewal() {
    tokio::time::advance(seconds(10)).await;
}

/// Looks at the log until something is there.
async fn first_lines(ana: &User, id: &str) -> Value {
    loop {
        let read = logs(ana, id, 0).await;
        if read["items"] != json!([]) {
            return read;
        }
        tokio::task::yield_now().await;
    }
}

/// Works on the run until its step is stuck and `then` is done; then the process is gone.
async fn dies_after<T>(world: &TestPlane, then: impl Future<Output = T>) -> T {
    let hold = stuck(world);
    let then = async {
        hold.arrived().await;
        then.await
    };
    tokio::select! {
        _ = world.answer(QueueKind::Runs) => panic!("the run has ended"),
        done = then => done,
    }
}

async fn all(ana: &User, id: &str) -> Vec<String> {
    let (mut read, mut from) = (Vec::new(), 0);
    loop {
        let part = logs(ana, id, from).await;
        read.extend(messages(&part));
        from = part["next"].as_u64().unwrap();
        if part["complete"] == true {
            return read;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_step_that_goes_on_shows_its_log_and_what_each_component_counted() {
    let world = TestPlane::new().await;
    let (ana, id, written) = given(&world).await;
    let hold = stuck(&world);

    let meanwhile = async {
        hold.arrived().await;
        assert_eq!(logs(&ana, &id, 0).await["items"], json!([]), "the lease is not renewed yet");
        renewal().await;
        let seen = (first_lines(&ana, &id).await, run(&ana, &id).await);
        hold.release();
        seen
    };
    let (_, (early, shown)) = futures::join!(world.answer(QueueKind::Runs), meanwhile);

    assert_eq!(
        (&early["state"], &early["complete"], messages(&early)),
        (&json!("running"), &json!(false), written[..EARLY].to_vec())
    );
    let counts = |answer: &Value| -> Vec<(Value, Value)> {
        answer["components"].as_array().unwrap().iter().map(|it| (it["in"].clone(), it["out"].clone())).collect()
    };
    assert_eq!(counts(&early), [(json!(0), json!(64)), (json!(32), json!(32)), (json!(32), json!(0))]);
    assert_eq!((&early["objects"], counts(&shown)), (&shown["objects"], counts(&early)));
    world.settle().await;
    assert_eq!(all(&ana, &id).await, written, "each line once");
    assert_eq!(run(&ana, &id).await["objects"], 100);
}

#[tokio::test(start_paused = true)]
async fn lines_of_a_step_whose_worker_died_stay_and_do_not_come_twice() {
    let world = TestPlane::new().await;
    let (ana, id, written) = given(&world).await;

    dies_after(&world, async {
        renewal().await;
        first_lines(&ana, &id).await
    })
    .await;
    let world = world.restarted().await;
    let ana = ana.at(&world.plane);
    let left = messages(&logs(&ana, &id, 0).await);
    world.settle().await;

    assert_eq!(left, written[..EARLY]);
    let ended = run(&ana, &id).await;
    assert_eq!((&ended["state"], &ended["attempt"], &ended["objects"]), (&json!("succeeded"), &json!(1), &json!(100)));
    assert_eq!(all(&ana, &id).await, written);
}

#[tokio::test(start_paused = true)]
async fn no_line_comes_twice_or_is_lost_if_the_worker_dies_at_the_renewal() {
    for death in [Death::Before(0), Death::After(0)] {
        let world = TestPlane::new().await;
        let (mut ana, id, written) = given(&world).await;
        let hold = stuck(&world);
        let meanwhile = async {
            hold.arrived().await;
            world.faults.die(Some(death));
            renewal().await;
        };
        futures::join!(world.answer(QueueKind::Runs), meanwhile);
        assert!(world.faults.is_dead(), "{death:?}");

        let world = world.restarted().await;
        ana = ana.at(&world.plane);
        let left = messages(&logs(&ana, &id, 0).await).len();
        world.settle().await;

        assert_eq!(left, if death == Death::Before(0) { 0 } else { EARLY }, "{death:?}");
        assert_eq!(run(&ana, &id).await["state"], "succeeded", "{death:?}");
        assert_eq!(all(&ana, &id).await, written, "{death:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_line_comes_twice_or_is_lost_wherever_the_worker_dies_after_a_long_step_began() {
    for call in 0..100 {
        for death in [Death::Before(call), Death::After(call)] {
            let world = TestPlane::new().await;
            let (ana, id, written) = given(&world).await;
            let hold = stuck(&world);
            let meanwhile = async {
                hold.arrived().await;
                world.faults.die(Some(death));
                renewal().await;
                hold.release();
            };
            futures::join!(world.answer(QueueKind::Runs), meanwhile);
            if !world.faults.is_dead() {
                assert!(call > 3, "there are a renewal, two saves and an end");
                return;
            }

            let world = world.restarted().await;
            let ana = ana.at(&world.plane);
            world.settle().await;

            let ended = run(&ana, &id).await;
            assert_eq!((&ended["state"], &ended["objects"]), (&json!("succeeded"), &json!(100)), "{death:?}");
            assert_eq!(all(&ana, &id).await, written, "{death:?}");
        }
    }
    panic!("the run makes too many calls");
}

/// The second worker dies in the same step again, the third one goes on.
#[tokio::test(start_paused = true)]
async fn no_line_comes_twice_however_many_workers_die_in_a_step() {
    let mut world = TestPlane::new().await;
    let (mut ana, id, written) = given(&world).await;

    for _ in 0..3 {
        dies_after(&world, async {
            renewal().await;
            first_lines(&ana, &id).await;
            renewal().await;
        })
        .await;
        world = world.restarted().await;
        ana = ana.at(&world.plane);
    }
    world.settle().await;

    assert_eq!(run(&ana, &id).await["state"], "succeeded");
    assert_eq!(all(&ana, &id).await, written);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_was_taken_over_in_a_step_adds_no_line() {
    let world = TestPlane::new().await;
    let (ana, id, written) = given(&world).await;
    let hold = stuck(&world);

    let meanwhile = async {
        hold.arrived().await;
        renewal().await;
        first_lines(&ana, &id).await;
        let other = world.beside();
        other.plane.ring(run_bell(&id), Duration::ZERO).await;
        other.settle().await;
        let ended = (run(&ana, &id).await, all(&ana, &id).await);
        hold.release();
        ended
    };
    let (_, (ended, read)) = futures::join!(world.answer(QueueKind::Runs), meanwhile);
    world.settle().await;

    assert_eq!((&ended["state"], &read), (&json!("succeeded"), &written));
    assert_eq!((run(&ana, &id).await, all(&ana, &id).await), (ended, written));
}

#[tokio::test(start_paused = true)]
async fn a_step_that_is_cut_off_at_its_time_limit_leaves_its_log() {
    let world = TestPlane::new().await;
    let (ana, id, written) = given(&world).await;
    let hold = stuck(&world);

    let meanwhile = pin!(async {
        hold.arrived().await;
        world.sleep(seconds(60));
        renewal().await;
    });
    futures::join!(world.answer(QueueKind::Runs), meanwhile);

    let ended = run(&ana, &id).await;
    assert_eq!((&ended["state"], &ended["objects"]), (&json!("timed_out"), &json!(64)));
    let log = all(&ana, &id).await;
    assert_eq!(log[..EARLY], written[..EARLY]);
    assert_eq!(log[EARLY..], ["cut off in the middle of a value: what that did so far is not undone"]);
}

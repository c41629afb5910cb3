//! Runs whose workers die or lose their lease: somebody else goes on after the last saved object.

use crate::given::{copied, copy, lines, queued, run, stored, while_it_runs};
use serde_json::json;
use tidemill_model::lease::Lease;
use tidemill_model::run::Run;
use tidemill_operations::bell::QueueKind;
use tidemill_testing::{Death, TestPlane, User, pipeline, seconds};

#[tokio::test]
async fn a_worker_whose_lease_was_taken_over_writes_nothing_and_the_next_one_goes_on() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let written = lines(&world, 3_000);
    ana.deploy(copy("p"), "manual").await.ok();
    let id = queued(&ana, "p").await;

    let taken = while_it_runs(&world, &ana, &id, async {
        // Each save of the worker makes the copy that was read before it stale.
        loop {
            let (after, is_claimed) = claimed(&world, &stored(&world, &id).await).await;
            if is_claimed {
                break after;
            }
        }
    });
    let taken = taken.await;

    assert_eq!(stored(&world, &id).await, taken, "the record is as its new holder wrote it");
    world.advance(seconds(29)).await;
    world.sweep().await;
    world.settle().await;
    assert_eq!(stored(&world, &id).await, taken, "its lease holds");
    world.advance(seconds(2)).await;
    world.sweep().await;
    world.settle().await;
    assert_eq!(run(&ana, &id).await["state"], "succeeded");
    assert_eq!(copied(&world), written);
}

/// Claims a run for another process, on the strength of a copy of its record.
async fn claimed(world: &TestPlane, before: &Run) -> (Run, bool) {
    let lease = Lease { holder: "process-0".into(), until: world.now() + jiff::SignedDuration::from_secs(30) };
    let after = Run { epoch: before.epoch + 1, lease: Some(lease), ..before.clone() };
    let claim = world.plane.store.transaction().claim_run(before, after.clone());
    let is_claimed = claim.unwrap().commit().await.is_ok();
    (after, is_claimed)
}

#[tokio::test]
async fn a_claim_of_what_was_read_before_a_save_takes_nothing_over() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let written = lines(&world, 3_000);
    ana.deploy(copy("p"), "manual").await.ok();
    let id = queued(&ana, "p").await;

    while_it_runs(&world, &ana, &id, async {
        let read_before = stored(&world, &id).await;
        world.clock.advance(jiff::SignedDuration::from_millis(1));
        while stored(&world, &id).await.lease == read_before.lease {
            tokio::task::yield_now().await;
        }
        assert!(!claimed(&world, &read_before).await.1, "its worker has renewed the lease meanwhile");
    })
    .await;

    assert_eq!(run(&ana, &id).await["state"], "succeeded");
    assert_eq!(copied(&world), written);
    let renewed = stored(&world, &id).await;
    assert_eq!(renewed.epoch, 1, "no other worker had it");
}

#[tokio::test]
async fn a_file_is_copied_exactly_once_although_the_worker_dies_at_every_call() {
    let world = TestPlane::new().await;
    let mut ana = world.user("ana").await;
    let written = lines(&world, 700);
    ana.deploy(copy("p"), "manual").await.ok();
    let id = queued(&ana, "p").await;

    let mut world = world;
    for call in 0..24 {
        let death = if call % 2 == 0 { Death::Before(call / 2) } else { Death::After(call / 2) };
        world.faults.die(Some(death));
        world.answer(QueueKind::Runs).await;
        world = world.restarted().await;
        ana = ana.at(&world.plane);
    }
    assert_eq!(run(&ana, &id).await["state"], "running", "there was work left after the last death");
    world.settle().await;

    let ended = run(&ana, &id).await;
    assert_eq!((&ended["state"], &ended["objects"]), (&json!("succeeded"), &json!(written.len())));
    assert_eq!((&ended["attempt"], &ended["error"]), (&json!(1), &json!(null)));
    assert_eq!(copied(&world), written);
}

#[tokio::test]
async fn a_run_that_kills_every_worker_is_given_up() {
    let world = TestPlane::new().await;
    let mut ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "manual").await.ok();
    let id = queued(&ana, "p").await;

    // The third call takes the run; nothing is saved after it.
    let mut world = world;
    let mut deaths = 0;
    while run(&ana, &id).await["endedAt"].is_null() && deaths < 100 {
        world = killed_at_work(world).await;
        ana = ana.at(&world.plane);
        deaths += 1;
        if deaths > 20 {
            world.settle().await;
        }
    }

    let ended = run(&ana, &id).await;
    assert_eq!(ended["state"], "failed", "after {deaths} deaths: {ended}");
    assert!(ended["error"]["message"].as_str().unwrap().contains("20 workers in a row died"), "{ended}");
    assert_eq!(ended["attempt"], 1, "it is not tried again");
}

async fn killed_at_work(world: TestPlane) -> TestPlane {
    world.faults.die(Some(Death::After(2)));
    world.answer(QueueKind::Runs).await;
    world.restarted().await
}

#[tokio::test]
async fn deaths_that_are_followed_by_progress_do_not_give_a_run_up() {
    let world = TestPlane::new().await;
    let mut ana: User = world.user("ana").await;
    let written = lines(&world, 60);
    ana.deploy(copy("p"), "manual").await.ok();
    let id = queued(&ana, "p").await;

    let mut world = world;
    for _ in 0..15 {
        world = killed_at_work(world).await;
        ana = ana.at(&world.plane);
    }
    world.settle().await;

    assert_eq!(run(&ana, &id).await["state"], "succeeded");
    assert_eq!(copied(&world), written);
}

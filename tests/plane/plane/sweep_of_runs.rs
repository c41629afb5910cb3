//! The runs of a busy webhook: the sweep rings for those that are forgotten, and not for those that wait in line.

use crate::given::{deaf, echo, ran, run};
use std::time::Duration;
use tidemill_operations::bell::QueueKind;
use tidemill_operations::plane::{self, sweep::SweepReport};
use tidemill_testing::{Death, TestPlane, User, minutes, seconds};

async fn swept(world: &TestPlane) -> SweepReport {
    plane::sweep::run(&world.plane).await.unwrap()
}

async fn hook(ana: &User) -> String {
    ana.deploy(echo("p"), "manual").await.ok()["hook"].as_str().unwrap().to_owned()
}

/// Has a webhook's body accepted, and gives its run.
async fn accepted(caller: &User, hook: &str) -> String {
    let headers = [("content-type", "text/plain")];
    let answer = caller.send(http::Method::POST, hook, &headers, b"hi".to_vec()).await.ok();
    answer["id"].as_str().unwrap().to_owned()
}

/// Lets a worker take the run whose bell is next, by its call number so and so, and die.
async fn taken(world: &TestPlane, claim: usize) {
    world.faults.die(Some(Death::After(claim)));
    world.answer(QueueKind::Runs).await;
    world.faults.die(None);
}

/// What a sweep reads of the table.
async fn read_units(world: &TestPlane) -> f64 {
    world.faults.die(None);
    world.sweep().await;
    world.faults.calls().iter().map(|call| call.read_units).sum()
}

#[tokio::test]
async fn runs_that_wait_in_line_behind_one_that_is_worked_on_are_not_rung_for() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let hook = hook(&ana).await;
    let first = accepted(&world.anonymous(), &hook).await;
    for _ in 0..3 {
        accepted(&world.anonymous(), &hook).await;
    }
    world.sleep(minutes(2));
    // The others moved the deployment on: it is read again.
    taken(&world, 3).await;
    assert_eq!(run(&ana, &first).await["state"], "running");

    assert_eq!(swept(&world).await.runs_rung, 0);
    world.sleep(seconds(31));
    assert_eq!(swept(&world).await.runs_rung, 1, "the lease has run out, and the others wait for that run");
    world.advance(seconds(5)).await;

    let runs = ana.runs("p").await;
    assert!(runs.iter().all(|run| run["state"] == "succeeded"), "{runs:?}");
    assert_eq!(swept(&world).await.runs_rung, 0);
}

#[tokio::test]
async fn runs_that_wait_behind_one_that_has_just_ended_are_not_rung_for() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let hook = hook(&ana).await;
    let ids = [accepted(&world.anonymous(), &hook).await, accepted(&world.anonymous(), &hook).await];
    world.sleep(minutes(2));
    world.answer(QueueKind::Runs).await;
    let states = [run(&ana, &ids[0]).await["state"].clone(), run(&ana, &ids[1]).await["state"].clone()];
    assert_eq!(states, ["succeeded", "queued"]);

    assert_eq!(swept(&world).await.runs_rung, 0);
    world.sleep(minutes(1));
    assert_eq!(swept(&world).await.runs_rung, 1, "its turn has come, and no worker took it");
}

#[tokio::test]
async fn a_run_that_later_ones_overtake_is_rung_for_however_busy_the_webhook_is() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let hook = hook(&ana).await;
    let lost = accepted(&world.anonymous().at(&deaf(&world)), &hook).await;
    world.sleep(minutes(1));
    accepted(&world.anonymous(), &hook).await;
    taken(&world, 0).await;
    assert_eq!(run(&ana, &lost).await["state"], "queued");

    assert_eq!(swept(&world).await.runs_rung, 1);
}

#[tokio::test]
async fn a_run_whose_bell_was_lost_is_rung_for_although_a_schedule_runs_each_minute() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let hook = ana.deploy(echo("p"), "* * * * *").await.ok()["hook"].as_str().unwrap().to_owned();
    let lost = accepted(&world.anonymous().at(&deaf(&world)), &hook).await;

    for minute in 0..5 {
        world.advance(minutes(1)).await;
        assert_eq!(run(&ana, &lost).await["state"], "queued", "after {minute} minutes");
        let rung = swept(&world).await.runs_rung;
        assert_eq!(rung, usize::from(minute == 4), "after {minute} minutes and one");
    }
    world.settle().await;

    assert_eq!(run(&ana, &lost).await["state"], "succeeded");
}

#[tokio::test]
async fn what_a_busy_webhook_has_run_costs_later_sweeps_nothing() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let hook = hook(&ana).await;
    for _ in 0..100 {
        accepted(&world.anonymous(), &hook).await;
        world.advance(seconds(1)).await;
    }
    world.advance(minutes(6)).await;
    // It is busy whenever the sweep looks.
    accepted(&world.anonymous(), &hook).await;
    taken(&world, 0).await;
    accepted(&world.anonymous(), &hook).await;

    let (first, second) = (read_units(&world).await, read_units(&world).await);

    assert!(second * 3.0 <= first, "the first sweep reads {first} units, the second one {second}");
}

#[tokio::test]
async fn a_run_that_comes_in_while_the_sweep_notes_what_has_run_is_not_lost() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let hook = hook(&ana).await;
    accepted(&world.anonymous(), &hook).await;
    world.settle().await;
    world.advance(minutes(6)).await;
    let caller = world.anonymous().at(&deaf(&world));

    let held = world.faults.hold("PutItem", 0);
    let meanwhile = async {
        held.arrived().await;
        let lost = accepted(&caller, &hook).await;
        held.release();
        lost
    };
    let (_, lost) = futures::join!(swept(&world), meanwhile);
    world.sleep(minutes(1));
    assert_eq!(swept(&world).await.runs_rung, 1);
    world.settle().await;

    assert_eq!(run(&ana, &lost).await["state"], "succeeded");
}

#[tokio::test]
async fn a_deployment_that_takes_long_to_look_at_holds_up_no_other() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    for project in ["p", "q", "r"] {
        ana.deploy(echo(project), "manual").await.ok();
        ran(&world, &ana, project).await;
    }

    world.faults.die(None);
    // After the place where it begins and the number of tasks.
    let held = world.faults.hold("GetItem", 2);
    let looks = || world.faults.calls().iter().filter(|call| call.operation == "GetItem").count();
    let meanwhile = async {
        held.arrived().await;
        let others = async {
            while looks() < 4 {
                tokio::task::yield_now().await;
            }
        };
        let others = tokio::time::timeout(Duration::from_secs(30), others).await;
        held.release();
        others
    };
    let (swept, others) = futures::join!(swept(&world), meanwhile);

    assert!(others.is_ok(), "the others wait for it");
    assert_eq!(swept.deployments, 3);
}

#[tokio::test]
async fn a_plane_that_starts_rings_for_those_in_line_too() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let hook = hook(&ana).await;
    for _ in 0..3 {
        accepted(&world.anonymous(), &hook).await;
    }
    taken(&world, 0).await;

    let world = world.restarted().await;
    world.advance(seconds(5)).await;

    let runs = ana.at(&world.plane).runs("p").await;
    assert!(runs.iter().all(|run| run["state"] == "succeeded"), "{runs:?}");
}

//! Where pipelines are executed in the plane's process, a short run is executed where its minute is decided.

use crate::given::{copied, copy, lines};
use serde_json::{Value, json};
use tidemill_operations::bell::QueueKind;
use tidemill_testing::{TestPlane, User, minutes, seconds};

/// Ana's copy of a few lines, each minute, which has run once and is due again.
async fn due_again() -> (TestPlane, User) {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    lines(&world, 3);
    ana.deploy(copy("p"), "* * * * *").await.ok();
    world.advance(minutes(1)).await;
    world.sleep(minutes(1));
    (world, ana)
}

/// Answers the bell of the tick alone.
async fn tick(world: &TestPlane) {
    world.ring_timers().await;
    assert!(world.answer(QueueKind::Ticks).await, "the minute is due");
}

/// The states of the project's runs, newest first.
async fn runs(ana: &User) -> Vec<Value> {
    let runs = ana.get("/v1/runs?project=p").await.ok();
    runs["items"].as_array().unwrap().iter().map(|run| run["state"].clone()).collect()
}

#[tokio::test]
async fn a_run_is_executed_at_the_bell_of_its_minute_if_the_one_before_was_short() {
    let (world, ana) = due_again().await;

    tick(&world).await;

    assert_eq!(runs(&ana).await, ["succeeded", "succeeded"]);
    assert!(!world.answer(QueueKind::Runs).await, "it needed no bell");
    assert_eq!(ana.ticks("p").await, ["ran", "ran"]);
}

#[tokio::test]
async fn the_first_run_and_that_of_another_version_are_executed_at_bells_of_their_own() {
    let (world, ana) = due_again().await;
    let mut other = copy("p");
    other["name"] = "another".into();
    ana.patch("/v1/deployments/p", json!({"pipeline": other})).await.ok();
    world.settle().await;
    world.sleep(minutes(1));

    tick(&world).await;

    assert_eq!(runs(&ana).await[0], "queued");
    assert!(world.answer(QueueKind::Runs).await);
    assert_eq!(runs(&ana).await[0], "succeeded");
}

#[tokio::test]
async fn a_run_that_is_longer_than_expected_goes_on_at_its_bell() {
    let (world, ana) = due_again().await;
    let wanted = lines(&world, 500);
    let hold = world.faults.hold("TransactWriteItems", 2);
    let time_goes_by = async {
        hold.arrived().await;
        world.sleep(seconds(11));
        hold.release();
    };

    futures::join!(tick(&world), time_goes_by);

    let handed_over = runs(&ana).await;
    let so_far = copied(&world).len();
    assert!(world.answer(QueueKind::Runs).await, "it has a bell now");
    let ended = ana.get("/v1/runs?project=p").await.ok()["items"][0].clone();
    assert_eq!(handed_over[0], "running");
    assert!(so_far < wanted.len(), "it was not through: {so_far}");
    assert_eq!((&ended["state"], &ended["attempt"]), (&json!("succeeded"), &json!(1)));
    assert_eq!(copied(&world), wanted, "each line is there once");
    assert!(!world.answer(QueueKind::Runs).await);
}

#[tokio::test]
async fn an_update_of_a_due_deployment_executes_nothing_before_it_answers() {
    let (_world, ana) = due_again().await;

    ana.patch("/v1/deployments/p", json!({"schedule": "@daily"})).await.ok();

    assert_eq!(runs(&ana).await, ["queued", "succeeded"]);
}

//! Where pipelines are executed in the plane's process, a short run is executed where its minute is decided.

use crate::given::{copied, copy, lines};
use serde_json::{Value, json};
use tidemill_model::ids::{OwnerId, ProjectId};
use tidemill_operations::Error;
use tidemill_operations::bell::{Bell, BellOutcome, QueueKind};
use tidemill_protocols::functions::bell_handler;
use tidemill_testing::{Death, TestPlane, User, minutes, seconds};

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

#[tokio::test]
async fn a_run_in_hand_is_shown_and_found_although_it_has_no_record() {
    let (world, ana) = due_again().await;
    let hold = world.faults.hold("PutItem", 1);
    let meanwhile = async {
        hold.arrived().await;
        let listed = runs(&ana).await;
        let deployment = ana.get("/v1/deployments/p").await.ok();
        let of_list = ana.get("/v1/deployments").await.ok()["items"][0]["lastRun"].clone();
        let id = deployment["lastRun"]["id"].as_str().unwrap_or_default().to_owned();
        let run = ana.get(&format!("/v1/runs/{id}?project=p")).await.ok();
        let log = ana.get(&format!("/v1/runs/{id}/logs?project=p")).await;
        let ticks = ana.ticks("p").await;
        let page = ana.get("/v1/runs?project=p&limit=1").await.ok();
        let path = format!("/v1/runs?project=p&cursor={}", page["next"].as_str().unwrap_or_default());
        let rest = ana.get(&path).await.ok();
        hold.release();
        (listed, deployment, of_list, run, log, ticks, page, rest)
    };

    let (_, seen) = futures::join!(tick(&world), meanwhile);

    let (listed, deployment, of_list, run, log, ticks, page, rest) = seen;
    assert_eq!(listed, ["running", "succeeded"]);
    assert_eq!((&deployment["lastRun"]["state"], &of_list["state"]), (&json!("running"), &json!("running")));
    assert_eq!((&run["state"], &run["trigger"]), (&json!("running"), &json!("schedule")));
    log.ok();
    assert_eq!(ticks, ["ran", "ran"]);
    assert_eq!(page["items"][0]["id"], run["id"]);
    assert_eq!(rest["items"].as_array().map(Vec::len), Some(1), "{rest}");
    assert_eq!(runs(&ana).await, ["succeeded", "succeeded"]);
    assert_eq!(ana.ticks("p").await, ["ran", "ran"]);
}

#[tokio::test]
async fn a_run_in_hand_that_is_cancelled_ends_once() {
    let (world, ana) = due_again().await;
    let hold = world.faults.hold("PutItem", 1);
    let meanwhile = async {
        hold.arrived().await;
        let id = ana.get("/v1/deployments/p").await.ok()["lastRun"]["id"].as_str().unwrap_or_default().to_owned();
        let asked = ana.post(&format!("/v1/runs/{id}/cancel?project=p"), json!({})).await.ok();
        hold.release();
        asked
    };

    let (_, asked) = futures::join!(tick(&world), meanwhile);

    world.settle().await;
    assert_eq!(asked["state"], "running");
    // It was through when it was asked.
    assert_eq!(runs(&ana).await, ["succeeded", "succeeded"]);
    assert_eq!(ana.ticks("p").await, ["ran", "ran"]);
}

/// Answers a bell of the project's timer, which no queue holds.
async fn ring(world: &TestPlane) -> Result<BellOutcome, Error> {
    let bell = Bell::Tick { owner: OwnerId::parse("ana").unwrap(), deployment: ProjectId::parse("p").unwrap().into() };
    bell_handler(QueueKind::Ticks)(&world.plane, bell, None).await
}

/// Ana's copy, whose process dies before the run in hand is written down.
async fn died_with_it_in_hand() -> (TestPlane, User) {
    let (world, ana) = due_again().await;
    world.faults.die(None);
    tick(&world).await;
    let end = world.faults.calls().iter().rposition(|call| call.operation == "PutItem").expect("a run was written");
    world.sleep(minutes(1));
    world.faults.die(Some(Death::Before(end)));
    ring(&world).await.expect_err("the process is dead");
    assert!(world.faults.is_dead());
    world.faults.die(None);
    assert_eq!(runs(&ana).await[0], "running");
    world.sleep(seconds(31));
    (world, ana)
}

#[tokio::test]
async fn a_run_whose_process_died_with_it_in_hand_goes_on_when_the_bell_comes_again() {
    let (world, ana) = died_with_it_in_hand().await;

    ring(&world).await.expect("it is answered");
    assert!(world.answer(QueueKind::Runs).await, "it was left, so it has a bell now");

    assert_eq!(runs(&ana).await, ["succeeded"; 3]);
    // The next minute found it going still.
    assert_eq!(ana.ticks("p").await, ["ran", "ran", "ran", "skipped(overlap)"]);
}

#[tokio::test]
async fn a_run_whose_process_died_with_it_in_hand_is_found_by_the_sweep() {
    let (world, ana) = died_with_it_in_hand().await;

    world.sweep().await;
    assert!(world.answer(QueueKind::Runs).await, "the sweep rang for it");

    let run = ana.get("/v1/runs?project=p").await.ok()["items"][0].clone();
    assert_eq!((&run["state"], &run["attempt"]), (&json!("succeeded"), &json!(1)));
    assert_eq!(runs(&ana).await.len(), 3);
}

#[tokio::test]
async fn a_worker_that_comes_back_to_a_run_in_hand_that_was_taken_over_changes_nothing() {
    let (world, ana) = due_again().await;
    let hold = world.faults.hold("PutItem", 1);
    let meanwhile = async {
        hold.arrived().await;
        world.sleep(seconds(31));
        world.sweep().await;
        assert!(world.answer(QueueKind::Runs).await, "the sweep rang for it");
        let ended = ana.get("/v1/runs?project=p").await.ok();
        hold.release();
        ended
    };

    let (_, ended) = futures::join!(tick(&world), meanwhile);

    assert_eq!(ended["items"][0]["state"], "succeeded");
    assert_eq!(ana.get("/v1/runs?project=p").await.ok(), ended);
}

#[tokio::test]
async fn a_run_whose_record_has_expired_does_not_come_back() {
    let (world, ana) = due_again().await;
    tick(&world).await;
    ana.post("/v1/deployments/p/pause", json!({})).await.ok();
    world.sleep(30 * 24 * minutes(60) + minutes(1));
    assert!(world.expire() > 0);

    world.sweep().await;
    world.settle().await;

    assert_eq!(runs(&ana).await, Vec::<Value>::new());
    assert_eq!(ana.get("/v1/deployments/p").await.ok()["lastRun"], Value::Null);
    ana.post("/v1/deployments/p/resume", Value::Null).await.ok();
    world.advance(minutes(1)).await;
    assert_eq!(runs(&ana).await, ["succeeded"]);
}

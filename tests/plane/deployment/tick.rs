//! Ticks: each due minute has exactly one outcome, whatever rings how often.

use serde_json::{Value, json};
use std::time::Duration;
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::ids::{OwnerId, ProjectId};
use tidemill_operations::Bell;
use tidemill_operations::bell::QueueKind;
use tidemill_testing::{TestPlane, minutes, pipeline, seconds};

fn bell(project: &str) -> Bell {
    Bell::Tick { owner: OwnerId::parse("ana").unwrap(), deployment: ProjectId::parse(project).unwrap().into() }
}

#[tokio::test]
async fn every_due_minute_runs_once() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "* * * * *").await.ok();

    world.advance(minutes(10)).await;

    assert_eq!(ana.ticks("p").await, ["ran"; 10]);
    let runs = ana.runs("p").await;
    assert_eq!(runs.len(), 10);
    assert!(runs.iter().all(|run| run["state"] == "succeeded" && run["trigger"] == "schedule"));
    assert_eq!(runs[0]["tick"], "2026-03-02T10:01:00Z");
}

#[tokio::test]
async fn a_bell_that_rings_twice_makes_one_run() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "* * * * *").await.ok();
    world.sleep(minutes(1));

    for _ in 0..5 {
        world.plane.ring(bell("p"), Duration::ZERO).await;
        world.answer(QueueKind::Ticks).await;
    }
    world.settle().await;

    assert_eq!(ana.ticks("p").await, ["ran"]);
    assert_eq!(ana.runs("p").await.len(), 1);
}

#[tokio::test]
async fn both_halves_of_a_split_cron_make_one_run() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    // Monday the 2nd of March is due by the day of the month and by the day of the week.
    ana.deploy(pipeline("p"), "5 10 2 * mon").await.ok();
    world.sleep(minutes(5));

    let (owner, deployment) = (OwnerId::parse("ana").unwrap(), DeploymentId::from(ProjectId::parse("p").unwrap()));
    let rang_for = Some("2026-03-02T10:05:00Z".parse().unwrap());
    let ring = || tidemill_operations::deployment::tick::run(&world.plane, &owner, &deployment, rang_for);
    let (one, other) = futures::join!(ring(), ring());
    one.unwrap();
    other.unwrap();
    world.settle().await;

    assert_eq!(ana.ticks("p").await, ["ran"]);
}

#[tokio::test]
async fn a_tick_during_a_run_is_skipped_and_names_the_run() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "* * * * *").await.ok();
    world.sleep(minutes(1));
    world.plane.ring(bell("p"), Duration::ZERO).await;
    world.answer(QueueKind::Ticks).await;

    // The run waits for its worker while the next minute comes.
    world.sleep(minutes(1));
    world.plane.ring(bell("p"), Duration::ZERO).await;
    world.answer(QueueKind::Ticks).await;

    assert_eq!(ana.ticks("p").await, ["ran", "skipped(overlap)"]);
    let list = ana.get("/v1/deployments/p/ticks").await.ok();
    assert_eq!(list["items"][0]["run"], list["items"][1]["run"]);
    world.settle().await;
    assert_eq!(ana.runs("p").await.len(), 1);
}

#[tokio::test]
async fn a_revoked_key_stops_the_schedule_at_the_next_tick() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let other = world.user("ana").await;
    ana.deploy(pipeline("p"), "* * * * *").await.ok();
    world.advance(minutes(1)).await;

    other.delete(&format!("/v1/keys/{}", ana.key_id)).await.ok();
    world.advance(minutes(3)).await;

    let shown = other.get("/v1/deployments/p").await.ok();
    assert_eq!(shown["state"], "errored");
    assert!(shown["error"].as_str().unwrap().contains("revoked"));
    assert_eq!(other.ticks("p").await, ["ran", "skipped(errored)", "skipped(errored)", "skipped(errored)"]);

    other.post("/v1/deployments/p/resume", Value::Null).await.ok();
    world.advance(minutes(1)).await;
    assert_eq!(other.ticks("p").await.last().unwrap(), "ran");
}

#[tokio::test]
async fn a_passing_failure_of_the_key_check_errors_nothing() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "* * * * *").await.ok();
    world.sleep(minutes(1));

    // The first call reads the deployment, the second the key.
    world.faults.die(Some(tidemill_testing::Death::Before(1)));
    world.plane.ring(bell("p"), Duration::ZERO).await;
    world.answer(QueueKind::Ticks).await;
    assert!(world.faults.is_dead());
    world.faults.die(None);

    assert_eq!(ana.get("/v1/deployments/p").await.ok()["state"], "active");
    world.advance(seconds(5)).await;
    assert_eq!(ana.ticks("p").await, ["ran"]);
}

#[tokio::test]
async fn a_short_scheduled_run_costs_two_writes_and_one_of_the_index() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "* * * * *").await.ok();
    world.advance(minutes(1)).await;

    world.faults.die(None);
    world.advance(minutes(1)).await;

    let calls = world.faults.calls();
    let writes: Vec<_> = calls.iter().filter(|call| call.write_units > 0.0).collect();
    assert!(writes.iter().all(|call| call.operation == "PutItem"), "{writes:?}");
    let units: f64 = writes.iter().map(|call| call.write_units).sum();
    assert_eq!((writes.len(), units), (2, 3.0), "{writes:?}");
}

#[tokio::test]
async fn ticks_wait_while_the_disk_is_full_and_are_accounted_when_it_has_room() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "* * * * *").await.ok();
    world.advance(minutes(1)).await;
    let full = json!({"__type": tidemill_store::DISK_FULL, "message": "the disk is full"});
    world.faults.refuse("", usize::MAX, full.clone());

    world.advance(minutes(3)).await;
    let refused = ana.deploy(pipeline("q"), "manual").await;
    let before = ana.ticks("p").await.len();
    world.faults.refuse("", 0, full);
    world.advance(minutes(1)).await;

    assert_eq!(refused.headers["retry-after"], "60");
    assert_eq!(refused.body["message"], "the disk is full");
    assert_eq!(refused.refused(503), "disk_full");
    assert_eq!((before, ana.ticks("p").await.len()), (1, 5));
}

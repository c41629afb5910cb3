//! Why there was a run, or none.

use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tidemill_model::calendar::Calendar;
use tidemill_model::ids::{OwnerId, ProjectId};
use tidemill_operations::Bell;
use tidemill_operations::bell::QueueKind;
use tidemill_testing::{TestPlane, User, minutes, pipeline};

async fn why(user: &User, time: &str) -> Value {
    user.get(&format!("/v1/deployments/p/why?time=2026-03-02T{time}Z")).await.ok()
}

#[track_caller]
fn says(answer: &Value, outcome: &str, words: &str) {
    assert_eq!(answer["outcome"], outcome, "{answer}");
    assert!(answer["explanation"].as_str().unwrap().contains(words), "{answer}");
}

#[tokio::test]
async fn a_tick_that_ran_names_its_run_whatever_second_of_the_minute_is_asked_about() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "*/5 * * * *").await.ok();
    world.advance(minutes(12)).await;

    let run = ana.runs("p").await[0]["id"].as_str().unwrap().to_owned();
    for time in ["10:05:00", "10:05:01", "10:05:59.999"] {
        let answer = why(&ana, time).await;
        says(&answer, "ran", &run);
        assert_eq!((&answer["run"], &answer["time"]), (&json!(run), &json!("2026-03-02T10:05:00Z")));
        assert_eq!(answer["schedule"], "*/5 * * * *");
    }
}

#[tokio::test]
async fn a_minute_that_is_not_due_names_the_schedule_and_the_due_minutes_around_it() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "*/5 * * * *").await.ok();
    world.advance(minutes(12)).await;

    let answer = why(&ana, "10:07:00").await;

    says(&answer, "not_due", "`*/5 * * * *`");
    assert_eq!(answer["previous"], "2026-03-02T10:05:00Z");
    assert_eq!(answer["next"], "2026-03-02T10:10:00Z");
}

#[tokio::test]
async fn a_tick_to_come_differs_from_one_that_is_not_due() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "*/5 * * * *").await.ok();

    says(&why(&ana, "10:15:00").await, "future", "still to come");
    says(&why(&ana, "10:16:00").await, "not_due", "not due");
}

#[tokio::test]
async fn a_skipped_tick_says_what_kept_it() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "* * * * *").await.ok();
    let (owner, project) = (OwnerId::parse("ana").unwrap(), ProjectId::parse("p").unwrap());
    for _ in 0..2 {
        // Its worker does not come to the first run before the second tick.
        world.sleep(minutes(1));
        world.plane.ring(Bell::Tick { owner: owner.clone(), deployment: project.clone().into() }, Duration::ZERO).await;
        world.answer(QueueKind::Ticks).await;
    }
    world.settle().await;
    ana.post("/v1/deployments/p/pause", json!({})).await.ok();
    world.advance(minutes(1)).await;

    let overlap = why(&ana, "10:02:00").await;
    says(&overlap, "skipped", "still going");
    assert_eq!((&overlap["reason"], &overlap["run"]), (&json!("overlap"), &why(&ana, "10:01:00").await["run"]));
    let paused = why(&ana, "10:03:00").await;
    says(&paused, "skipped", "paused");
    assert_eq!(paused["reason"], "paused");
}

#[tokio::test]
async fn a_missed_tick_says_whether_it_was_caught_up() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let body = json!({"pipeline": pipeline("p"), "schedule": "*/10 * * * *", "catchUpSeconds": 1200});
    ana.post("/v1/deployments", body).await.ok();
    world.sleep(minutes(35));
    let world = world.restarted().await;
    world.settle().await;
    let ana = ana.at(&world.plane);

    let late = why(&ana, "10:10:00").await;
    says(&late, "missed", "catch-up window of 1200 s");
    assert_eq!(late["reason"], "too_late");
    let caught_up = why(&ana, "10:20:00").await;
    says(&caught_up, "missed", "caught up by run");
    assert_eq!(caught_up["run"], why(&ana, "10:30:00").await["run"]);
}

#[tokio::test]
async fn a_time_before_the_deployment_or_after_its_removal_was_not_deployed() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "* * * * *").await.ok();
    world.advance(minutes(2)).await;
    ana.delete("/v1/deployments/p").await.ok();
    world.advance(minutes(5)).await;

    says(&why(&ana, "09:59:00").await, "not_deployed", "not deployed");
    says(&why(&ana, "10:05:00").await, "not_deployed", "not deployed");
    says(&why(&ana, "10:01:00").await, "ran", "made run");
}

#[tokio::test]
async fn the_answer_is_by_the_schedule_that_held_at_the_time() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "manual").await.ok();
    world.advance(minutes(5)).await;
    ana.patch("/v1/deployments/p", json!({"schedule": "* * * * *"})).await.ok();
    world.advance(minutes(5)).await;

    says(&why(&ana, "10:03:00").await, "not_due", "`manual`");
    says(&why(&ana, "10:08:00").await, "ran", "made run");
}

#[tokio::test]
async fn a_tick_that_no_worker_has_taken_yet_is_pending() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "* * * * *").await.ok();

    world.sleep(minutes(1));

    says(&why(&ana, "10:01:00").await, "pending", "about to be taken");
}

#[tokio::test]
async fn a_time_that_is_none_is_refused() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "* * * * *").await.ok();

    assert_eq!(ana.get("/v1/deployments/p/why?time=noon").await.refused(400), "invalid_argument");
    assert_eq!(ana.get("/v1/deployments/p/why").await.refused(400), "invalid_argument");
}

#[tokio::test]
async fn a_minute_that_a_change_of_the_clock_moved_says_so() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let daily = json!({"pipeline": pipeline("p"), "schedule": "30 2 * * *", "timezone": "Europe/Berlin"});
    ana.post("/v1/deployments", daily).await.ok();

    let moved = ana.get("/v1/deployments/p/why?time=2026-03-29T01:00:00Z").await.ok();
    let usual = ana.get("/v1/deployments/p/why?time=2026-03-28T01:30:00Z").await.ok();

    says(&moved, "future", "still to come");
    assert_eq!(moved["clockNote"], "02:30 does not exist on this day; due at 03:00 CEST");
    says(&usual, "future", "still to come");
    assert_eq!(usual["clockNote"], Value::Null);
}

fn set_minute(world: &mut TestPlane, seconds: u64) {
    let plane = Arc::get_mut(&mut world.plane).expect("no user holds it");
    plane.calendar = Calendar::with_minute(Duration::from_secs(seconds)).unwrap();
}

#[tokio::test]
async fn no_tick_is_pending_where_a_minute_lasted_longer() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "* * * * *").await.ok();
    world.advance(minutes(12)).await;
    drop(ana);

    let mut world = world.restarted().await;
    set_minute(&mut world, 1);
    let ana = world.user("ana").await;

    says(&why(&ana, "10:05:00").await, "ran", "made run");
    says(&why(&ana, "10:05:30").await, "not_due", "lasted longer or shorter than now");
}

#[tokio::test]
async fn a_tick_is_found_where_a_minute_lasted_shorter() {
    let mut world = TestPlane::new().await;
    set_minute(&mut world, 1);
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "* * * * *").await.ok();
    let (owner, project) = (OwnerId::parse("ana").unwrap(), ProjectId::parse("p").unwrap());
    for _ in 0..6 {
        world.advance(Duration::from_secs(5)).await;
        world.plane.ring(Bell::Tick { owner: owner.clone(), deployment: project.clone().into() }, Duration::ZERO).await;
        world.settle().await;
    }
    drop(ana);

    let mut world = world.restarted().await;
    set_minute(&mut world, 60);
    let ana = world.user("ana").await;

    let list = ana.get("/v1/deployments/p/ticks?limit=100").await.ok();
    let ticks = list["items"].as_array().unwrap();
    assert!(ticks.len() >= 6, "{list}");
    for tick in ticks {
        let at = tick["at"].as_str().unwrap();
        let answer = ana.get(&format!("/v1/deployments/p/why?time={at}")).await.ok();
        assert_eq!((&answer["outcome"], &answer["run"]), (&tick["outcome"], &tick["run"]), "{at}");
    }
}

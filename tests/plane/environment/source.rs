//! Changing how a source runs in an environment.

use crate::given::environments::{at, deployed, on_schedule, ticks, with_versions};
use serde_json::{Value, json};
use tidemill_testing::{Answer, TestPlane, User, minutes};

async fn change(user: &User, source: &str, body: Value) -> Answer {
    user.patch(&format!("{}/sources/{source}", at("staging")), body).await
}

#[tokio::test]
async fn a_source_runs_by_the_schedule_that_was_set_last() {
    let world = TestPlane::new().await;
    let ana = on_schedule(&world, "* * * * *").await;
    world.advance(minutes(1)).await;

    change(&ana, "timer_1", json!({"schedule": {"schedule": "manual"}})).await.ok();
    world.advance(minutes(2)).await;

    assert_eq!(ticks(&world, &ana).await, ["ran"]);
    assert_eq!(ana.get(&at("staging")).await.ok()["sources"], json!({}));
}

#[tokio::test]
async fn what_is_absent_stays_as_it_is() {
    let world = TestPlane::new().await;
    let ana = on_schedule(&world, "@daily").await;

    change(&ana, "timer_1", json!({"paused": true})).await.ok();
    let traced = json!({"diagnostics": {"trace": "summary", "debug": true}});
    let timer = change(&ana, "timer_1", traced).await.ok()["sources"]["timer_1"].clone();

    assert_eq!((&timer["schedule"], &timer["paused"]), (&json!("@daily"), &json!(true)));
    assert_eq!((&timer["trace"], &timer["debug"]), (&json!("summary"), &json!(true)));
    let resumed = change(&ana, "timer_1", json!({"paused": false})).await.ok()["sources"]["timer_1"].clone();
    assert_eq!((&resumed["paused"], &resumed["trace"]), (&json!(false), &json!("summary")));
}

#[tokio::test]
async fn a_paused_source_skips_its_ticks() {
    let world = TestPlane::new().await;
    let ana = on_schedule(&world, "* * * * *").await;

    change(&ana, "timer_1", json!({"paused": true})).await.ok();
    world.advance(minutes(1)).await;
    change(&ana, "timer_1", json!({"paused": false})).await.ok();
    world.advance(minutes(1)).await;

    assert_eq!(ticks(&world, &ana).await, ["skipped(paused)", "ran"]);
}

#[tokio::test]
async fn only_what_the_live_version_has_can_be_set() {
    let world = TestPlane::new().await;
    let ana = with_versions(&world, 1).await;
    let daily = json!({"schedule": {"schedule": "@daily"}});
    assert_eq!(change(&ana, "timer_1", daily.clone()).await.refused(404), "not_found");
    deployed(&ana, "staging", 1).await;

    assert_eq!(change(&ana, "timer_2", daily).await.refused(404), "not_found");
    assert_eq!(change(&ana, "timer_1", json!({"paused": true})).await.refused(409), "failed_precondition");
}

#[tokio::test]
async fn a_schedule_that_cannot_be_read_changes_nothing() {
    let world = TestPlane::new().await;
    let ana = on_schedule(&world, "@daily").await;
    let before = ana.get(&at("staging")).await.ok();

    for schedule in [
        json!({"schedule": "* * * *"}),
        json!({"schedule": "@daily", "timezone": "Riga"}),
        json!({"schedule": "@daily", "ttlSeconds": 0}),
        json!({"schedule": "@daily", "ttlSeconds": 86401}),
        json!({"ttlSeconds": 60}),
        json!("@daily"),
    ] {
        let answer = change(&ana, "timer_1", json!({"schedule": schedule})).await;
        assert_eq!(answer.refused(400), "invalid_argument", "{schedule}");
    }
    let unknown = change(&ana, "timer_1", json!({"diagnostics": {"trace": "loud"}})).await;
    assert_eq!(unknown.refused(400), "invalid_argument");
    assert_eq!(ana.get(&at("staging")).await.ok(), before);
}

//! Disabling an environment.

use crate::given::environments::{at, on_schedule, ticks, with_versions};
use serde_json::{Value, json};
use tidemill_testing::{TestPlane, minutes};

#[tokio::test]
async fn a_disabled_environment_starts_nothing() {
    let world = TestPlane::new().await;
    let ana = on_schedule(&world, "* * * * *").await;

    let disabled = ana.post(&format!("{}/disable", at("staging")), Value::Null).await.ok();
    world.advance(minutes(2)).await;

    assert_eq!(disabled["state"], "disabled");
    assert_eq!(ticks(&world, &ana).await, ["skipped(paused)", "skipped(paused)"]);
    let run = ana.post(&format!("{}/run", at("staging")), json!({"source": "timer_1"})).await;
    assert_eq!(run.refused(409), "failed_precondition");
    assert_eq!(ana.get("/v1/runs").await.ok()["items"], json!([]));
}

#[tokio::test]
async fn disabling_twice_is_disabling_once() {
    let world = TestPlane::new().await;
    let ana = on_schedule(&world, "@daily").await;
    let disable = format!("{}/disable", at("staging"));

    let first = ana.post(&disable, Value::Null).await.ok();
    world.sleep(minutes(1));

    assert_eq!(ana.post(&disable, Value::Null).await.ok(), first);
}

#[tokio::test]
async fn what_is_not_deployed_cannot_be_disabled() {
    let world = TestPlane::new().await;
    let ana = with_versions(&world, 1).await;

    assert_eq!(ana.post(&format!("{}/disable", at("staging")), Value::Null).await.refused(404), "not_found");
}

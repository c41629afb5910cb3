//! Enabling an environment.

use crate::given::environments::{at, deployed, on_schedule, ticks, with_versions};
use serde_json::Value;
use tidemill_testing::{TestPlane, minutes};

#[tokio::test]
async fn an_environment_that_is_enabled_again_runs_from_the_next_tick_on() {
    let world = TestPlane::new().await;
    let ana = on_schedule(&world, "* * * * *").await;
    ana.post(&format!("{}/disable", at("staging")), Value::Null).await.ok();
    world.advance(minutes(2)).await;

    let enabled = ana.post(&format!("{}/enable", at("staging")), Value::Null).await.ok();
    world.advance(minutes(1)).await;

    assert_eq!(enabled["state"], "enabled");
    assert_eq!(ticks(&world, &ana).await.last().unwrap(), "ran");
    assert_eq!(ana.get("/v1/runs").await.ok()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn enabling_what_is_enabled_changes_nothing() {
    let world = TestPlane::new().await;
    let ana = on_schedule(&world, "* * * * *").await;
    let before = ana.get(&at("staging")).await.ok();

    let after = ana.post(&format!("{}/enable", at("staging")), Value::Null).await.ok();

    assert_eq!(after, before);
}

#[tokio::test]
async fn what_is_not_deployed_cannot_be_enabled() {
    let world = TestPlane::new().await;
    let ana = with_versions(&world, 1).await;
    let enable = format!("{}/enable", at("staging"));
    assert_eq!(ana.post(&enable, Value::Null).await.refused(404), "not_found");
    deployed(&ana, "staging", 1).await;

    ana.delete(&at("staging")).await.ok();

    assert_eq!(ana.post(&enable, Value::Null).await.refused(404), "not_found");
}

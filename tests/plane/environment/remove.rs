//! Removing a project from an environment.

use crate::given::environments::{at, deployed, on_schedule, ticks, with_versions};
use serde_json::json;
use tidemill_testing::{TestPlane, minutes};

#[tokio::test]
async fn nothing_runs_where_a_project_was_removed() {
    let world = TestPlane::new().await;
    let ana = on_schedule(&world, "* * * * *").await;

    let removed = ana.delete(&at("staging")).await.ok();
    world.advance(minutes(2)).await;

    assert_eq!(removed["state"], "removed");
    assert_eq!(ana.get("/v1/runs").await.ok()["items"], json!([]));
    assert_eq!(ana.get("/v1/environments").await.ok()["items"], json!([]));
    assert_eq!(ana.delete(&at("staging")).await.refused(404), "not_found");
    assert_eq!(ana.get("/v1/deployments/p/versions").await.ok()["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_next_deployment_restores_the_schedules() {
    let world = TestPlane::new().await;
    let ana = on_schedule(&world, "* * * * *").await;
    ana.delete(&at("staging")).await.ok();
    world.advance(minutes(2)).await;

    let moved = ana.put(&at("staging"), json!({"version": 2})).await.ok();
    world.advance(minutes(1)).await;

    assert_eq!(moved["fromVersion"], json!(null), "nothing was live there");
    assert_eq!(moved["sources"]["timer_1"]["schedule"], "* * * * *");
    assert_eq!(ticks(&world, &ana).await, ["ran"]);
}

#[tokio::test]
async fn other_environments_stay() {
    let world = TestPlane::new().await;
    let ana = with_versions(&world, 1).await;
    deployed(&ana, "staging", 1).await;
    deployed(&ana, "testing", 1).await;

    ana.delete(&at("staging")).await.ok();

    assert_eq!(ana.get(&at("testing")).await.ok()["state"], "enabled");
}

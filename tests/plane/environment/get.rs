//! Showing an environment.

use crate::given::environments::{at, deployed, named, with_versions};
use serde_json::{Value, json};
use tidemill_testing::{TestPlane, minutes};

#[tokio::test]
async fn an_environment_shows_its_live_version_and_how_its_sources_run() {
    let world = TestPlane::new().await;
    let ana = with_versions(&world, 2).await;
    deployed(&ana, "staging", 2).await;
    let daily = json!({"schedule": {"schedule": "0 9 * * *", "timezone": "Europe/Riga", "ttlSeconds": 60}});
    ana.patch(&format!("{}/sources/timer_1", at("staging")), daily).await.ok();

    let shown = ana.get(&at("staging")).await.ok();

    assert_eq!((&shown["environment"], &shown["project"]), (&json!("staging"), &json!("p")));
    assert_eq!((&shown["version"], &shown["state"], &shown["name"]), (&json!(2), &json!("enabled"), &json!("v2")));
    assert_eq!(shown["sha256"], ana.get("/v1/deployments/p/versions/2").await.ok()["sha256"]);
    assert_eq!((&shown["revision"], &shown["createdBy"]), (&json!(2), &json!(ana.key_id)));
    let timer = json!({
        "schedule": "0 9 * * *", "timezone": "Europe/Riga", "paused": false, "ttlSeconds": 60, "trace": null,
        "debug": false, "lastRunAt": null, "error": null,
    });
    assert_eq!(shown["sources"], json!({"timer_1": timer}));
}

#[tokio::test]
async fn the_deployment_of_the_same_project_is_not_an_environment() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(named("live"), "@daily").await.ok();

    assert_eq!(ana.get(&at("production")).await.refused(404), "not_found");
    deployed(&ana, "production", 1).await;
    world.advance(minutes(1)).await;
    ana.delete(&at("production")).await.ok();

    assert_eq!(ana.get("/v1/deployments/p").await.ok()["state"], "active");
}

#[tokio::test]
async fn a_project_that_is_not_deployed_there_is_not_found() {
    let world = TestPlane::new().await;
    let ana = with_versions(&world, 1).await;
    deployed(&ana, "staging", 1).await;

    for path in [at("testing"), "/v1/environments/staging/projects/q".to_owned()] {
        assert_eq!(ana.get(&path).await.refused(404), "not_found", "{path}");
    }
}

#[tokio::test]
async fn a_name_that_no_environment_has_is_refused() {
    let world = TestPlane::new().await;
    let ana = with_versions(&world, 1).await;
    let long = "x".repeat(65);

    for name in ["a%20b", "@ana", "%00", &long] {
        assert_eq!(ana.get(&at(name)).await.refused(400), "invalid_argument", "{name}");
        let deploy = json!({"version": 1});
        assert_eq!(ana.put(&at(name), deploy).await.refused(400), "invalid_argument", "{name}");
    }
    deployed(&ana, "%40me", 1).await;
    assert_eq!(ana.get(&at("@me")).await.ok()["environment"], "@me");
    assert_eq!(ana.get("/v1/environments").await.ok()["next"], Value::Null);
}

//! Looking at one deployment.

use tidemill_testing::{TestPlane, pipeline};

#[tokio::test]
async fn a_deployment_is_shown_with_its_pipeline_and_settings() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("team/pw#1.x"), "@daily").await.ok();

    let shown = ana.get("/v1/deployments/team%2Fpw%231.x").await.ok();

    assert_eq!(shown["project"], "team/pw#1.x");
    assert_eq!(shown["pipeline"], pipeline("team/pw#1.x"));
    assert_eq!(shown["schedule"], "@daily");
    assert_eq!(shown["timezone"], "UTC");
    assert_eq!(shown["catchUpSeconds"], 3600);
    assert_eq!(shown["maxAttempts"], 3);
    assert_eq!(shown["next"][0], "2026-03-03T00:00:00Z");
}

#[tokio::test]
async fn a_project_that_is_not_there_is_not_found_with_a_hint() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    let answer = ana.get("/v1/deployments/nothing").await;

    assert!(answer.body["hint"].is_string());
    assert_eq!(answer.refused(404), "not_found");
}

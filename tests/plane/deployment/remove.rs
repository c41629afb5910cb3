//! Taking a project off.

use tidemill_testing::{TestPlane, minutes, pipeline};

#[tokio::test]
async fn a_removed_deployment_ticks_no_more_and_keeps_its_history() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "* * * * *").await.ok();
    world.advance(minutes(2)).await;

    ana.delete("/v1/deployments/p").await.ok();
    world.advance(minutes(5)).await;

    assert_eq!(ana.runs("p").await.len(), 2);
    assert_eq!(ana.ticks("p").await, ["ran", "ran"]);
    assert_eq!(ana.get("/v1/deployments/p").await.refused(404), "not_found");
    assert_eq!(ana.get("/v1/deployments/p/versions").await.ok()["items"][0]["version"], 1);
    assert_eq!(ana.get("/v1/deployments/p/versions/1").await.ok()["pipeline"], pipeline("p"));
    assert_eq!(ana.get("/v1/deployments/p/why?time=2026-03-02T10:01:00Z").await.ok()["outcome"], "ran");
}

#[tokio::test]
async fn removing_what_is_not_there_is_not_found() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "manual").await.ok();
    ana.delete("/v1/deployments/p").await.ok();

    assert_eq!(ana.delete("/v1/deployments/p").await.refused(404), "not_found");
    assert_eq!(ana.delete("/v1/deployments/q").await.refused(404), "not_found");
}

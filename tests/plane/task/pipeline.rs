//! The pipeline of a task.

use crate::given::chain;
use serde_json::json;
use tidemill_testing::TestPlane;

#[tokio::test]
async fn a_tasks_pipeline_is_shown_as_it_was_sent_and_without_its_variables() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let template = json!({"template": "${ROCKETRIDE_A}"});
    let sent = chain("p", &[("webhook", json!({}), "text"), ("template", template, "text"), ("log", json!({}), "")]);
    let body = json!({"pipeline": sent, "variables": {"ROCKETRIDE_A": "s3cret"}});
    let token = ana.post("/v1/tasks", body).await.ok()["token"].as_str().unwrap().to_owned();

    let shown = ana.get(&format!("/v1/tasks/{token}/pipeline")).await.ok();

    assert_eq!(shown, json!({"pipeline": sent}));
    assert_eq!(world.user("bob").await.get(&format!("/v1/tasks/{token}/pipeline")).await.refused(404), "not_found");
}

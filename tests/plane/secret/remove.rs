//! Removing secrets.

use crate::given::{chain, ran};
use serde_json::json;
use tidemill_testing::TestPlane;

#[tokio::test]
async fn a_removed_secret_is_gone_for_lists_and_runs() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let template = json!({"template": "${TOKEN}"});
    let response = ("response", json!({"lanes": []}), "");
    let pipeline = chain("p", &[("timer", json!({}), "text"), ("template", template, "text"), response]);
    ana.put("/v1/secrets/TOKEN", json!({"value": "s3cret"})).await.ok();
    ana.deploy(pipeline, "manual").await.ok();
    assert_eq!(ran(&world, &ana, "p").await["state"], "succeeded");

    ana.delete("/v1/secrets/TOKEN").await.ok();

    assert_eq!(ana.get("/v1/secrets").await.ok()["items"], json!([]));
    let run = ran(&world, &ana, "p").await;
    assert_eq!(run["state"], "failed");
    assert!(run["error"]["message"].as_str().unwrap().contains("`TOKEN`"));
}

#[tokio::test]
async fn a_secret_that_is_not_set_is_not_found() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.put("/v1/secrets/TOKEN", json!({"value": "s3cret"})).await.ok();
    ana.delete("/v1/secrets/TOKEN").await.ok();

    assert_eq!(ana.delete("/v1/secrets/TOKEN").await.refused(404), "not_found");
}

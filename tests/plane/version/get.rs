//! Showing a version.

use serde_json::{Value, json};
use tidemill_testing::{TestPlane, pipeline};

fn named(name: &str) -> Value {
    let mut named = pipeline("p");
    named["name"] = name.into();
    named
}

#[tokio::test]
async fn every_version_keeps_its_pipeline_author_and_time() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let other = world.user("ana").await;
    ana.deploy(named("one"), "manual").await.ok();
    world.sleep(tidemill_testing::minutes(1));
    other.patch("/v1/deployments/p", json!({"pipeline": named("two"), "note": "why"})).await.ok();

    let first = ana.get("/v1/deployments/p/versions/1").await.ok();
    let second = ana.get("/v1/deployments/p/versions/2").await.ok();

    assert_eq!((&first["pipeline"], &second["pipeline"]), (&named("one"), &named("two")));
    assert_eq!(first["createdBy"], ana.key_id.as_str());
    assert_eq!(second["createdBy"], other.key_id.as_str());
    assert_eq!(first["createdAt"], "2026-03-02T10:00:30Z");
    assert_eq!(second["createdAt"], "2026-03-02T10:01:30Z");
    assert_eq!((&first["components"], &second["note"]), (&json!(2), &json!("why")));
    assert_ne!(first["sha256"], second["sha256"]);
}

#[tokio::test]
async fn a_version_never_changes() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(named("one"), "manual").await.ok();
    let before = ana.get("/v1/deployments/p/versions/1").await.ok();

    ana.patch("/v1/deployments/p", json!({"pipeline": named("two")})).await.ok();
    ana.delete("/v1/deployments/p").await.ok();
    ana.deploy(named("three"), "manual").await.ok();

    assert_eq!(ana.get("/v1/deployments/p/versions/1").await.ok(), before);
}

#[tokio::test]
async fn equal_pipelines_have_one_sha256_and_as_many_bytes_as_were_sent() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    for name in ["one", "two", "one"] {
        let body = json!({"pipeline": named(name)});
        match ana.get("/v1/deployments/p").await.status.as_u16() {
            404 => ana.post("/v1/deployments", body).await.ok(),
            _ => ana.patch("/v1/deployments/p", body).await.ok(),
        };
    }

    let first = ana.get("/v1/deployments/p/versions/1").await.ok();
    let third = ana.get("/v1/deployments/p/versions/3").await.ok();

    assert_eq!(first["sha256"], third["sha256"]);
    assert_eq!(first["bytes"], named("one").to_string().len());
}

#[tokio::test]
async fn a_version_that_was_never_made_is_not_found() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "manual").await.ok();

    for path in ["p/versions/0", "p/versions/2", "q/versions/1"] {
        assert_eq!(ana.get(&format!("/v1/deployments/{path}")).await.refused(404), "not_found", "{path}");
    }
    assert_eq!(ana.get("/v1/deployments/p/versions/one").await.refused(400), "invalid_argument");
}

//! Listing secrets.

use serde_json::json;
use tidemill_model::key::Scope;
use tidemill_testing::TestPlane;

#[tokio::test]
async fn secrets_are_listed_by_name_with_nothing_but_when_they_were_set() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    for name in ["ZULU", "ALPHA"] {
        ana.put(&format!("/v1/secrets/{name}"), json!({"value": "s3cret"})).await.ok();
    }

    let list = ana.get("/v1/secrets").await.ok();

    let at = "2026-03-02T10:00:30Z";
    let items = json!([{"name": "ALPHA", "updatedAt": at}, {"name": "ZULU", "updatedAt": at}]);
    assert_eq!(list, json!({"items": items, "next": null}));
}

#[tokio::test]
async fn pages_hold_every_secret_once() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    for number in 0..5 {
        ana.put(&format!("/v1/secrets/S{number}"), json!({"value": "s3cret"})).await.ok();
    }

    let mut names = Vec::new();
    let mut path = "/v1/secrets?limit=2".to_owned();
    loop {
        let page = ana.get(&path).await.ok();
        names
            .extend(page["items"].as_array().unwrap().iter().map(|secret| secret["name"].as_str().unwrap().to_owned()));
        assert!(names.len() <= 5, "it comes to an end: {names:?}");
        let Some(cursor) = page["next"].as_str() else { break };
        path = format!("/v1/secrets?limit=2&cursor={cursor}");
    }

    assert_eq!(names, ["S0", "S1", "S2", "S3", "S4"]);
}

#[tokio::test]
async fn only_an_administrator_sees_the_names() {
    let world = TestPlane::new().await;
    let operator = world.user_with("ana", &Scope::DEFAULT).await;

    assert_eq!(operator.get("/v1/secrets").await.refused(403), "permission_denied");
}

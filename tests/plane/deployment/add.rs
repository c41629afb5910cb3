//! Putting a project live.

use futures::future::join_all;
use serde_json::{Value, json};
use tidemill_testing::{TestPlane, pipeline};

#[tokio::test]
async fn a_deployment_is_live_with_version_1_its_hook_and_its_next_ticks() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    let added = ana.deploy(pipeline("p"), "*/5 * * * *").await;

    assert_eq!(added.status, 201);
    let added = added.ok();
    assert_eq!(added["state"], "active");
    assert_eq!(added["version"], 1);
    assert_eq!(added["next"][0], "2026-03-02T10:05:00Z");
    assert_eq!(added["next"].as_array().unwrap().len(), 5);
    assert!(added["hook"].as_str().unwrap().starts_with("/hooks/"));
}

#[tokio::test]
async fn a_project_is_deployed_at_most_once() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    let answers = join_all((0..20).map(|_| ana.deploy(pipeline("p"), "manual"))).await;

    let winners = answers.iter().filter(|answer| answer.status == 201).count();
    let losers = answers.iter().filter(|answer| answer.body["code"] == "already_exists").count();
    assert_eq!((winners, losers), (1, 19));
    let versions = ana.get("/v1/deployments/p/versions").await.ok();
    assert_eq!(versions["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn all_problems_of_a_pipeline_are_reported_at_once_and_nothing_is_stored() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let broken = json!({
        "project_id": "p",
        "components": [
            {"id": "a", "provider": "tmer", "config": {"mode": "Source"}},
            {"id": "b", "provider": "response", "config": {}, "input": [{"lane": "texte", "from": "missing"}]},
        ],
    });

    let answer = ana.deploy(broken, "manual").await;

    assert_eq!(answer.status, 400);
    let details = answer.body["details"].to_string();
    assert!(details.contains("`timer`"), "the nearest known provider is named: {details}");
    assert!(details.contains("texte") && details.contains("missing"), "{details}");
    assert_eq!(ana.get("/v1/deployments/p").await.refused(404), "not_found");
    assert_eq!(ana.get("/v1/deployments/p/versions").await.refused(404), "not_found");
}

#[tokio::test]
async fn a_bad_schedule_is_refused_before_anything_changes() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    for schedule in ["* * * *", "0 0 30 2 *", "@reboot", "61 * * * *", "* * * * * *"] {
        let answer = ana.deploy(pipeline("p"), schedule).await;
        assert_eq!(answer.body["details"][0]["field"], "schedule", "{schedule}: {}", answer.body);
        assert!(answer.body["hint"].is_string(), "{schedule}");
    }
    assert_eq!(ana.get("/v1/deployments/p").await.refused(404), "not_found");
}

#[tokio::test]
async fn a_retry_with_the_same_idempotency_key_answers_as_the_first_did() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let body = json!({"pipeline": pipeline("p"), "schedule": "@hourly"}).to_string();
    let headers = [("content-type", "application/json"), ("idempotency-key", "k-1")];
    let add = || ana.send(http::Method::POST, "/v1/deployments", &headers, body.clone().into_bytes());

    let first = add().await;
    world.advance(tidemill_testing::minutes(90)).await;
    let second = add().await;

    assert_eq!(first.status, second.status);
    assert_eq!(first.body, second.body);
    let replayed = |answer: &tidemill_testing::Answer| answer.headers.contains_key("idempotent-replayed");
    assert!(!replayed(&first) && replayed(&second));
}

#[tokio::test]
async fn a_retry_does_not_answer_with_a_deployment_that_was_removed() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let headers = [("content-type", "application/json"), ("idempotency-key", "k-1")];
    let add = || {
        let body = json!({"pipeline": pipeline("p")}).to_string();
        ana.send(http::Method::POST, "/v1/deployments", &headers, body.into_bytes())
    };
    let update = || ana.send(http::Method::PATCH, "/v1/deployments/p", &headers, br#"{"schedule":"@daily"}"#.to_vec());
    add().await.ok();
    update().await.ok();
    assert_eq!(update().await.headers["idempotent-replayed"], "true");
    ana.delete("/v1/deployments/p").await.ok();

    assert_eq!(add().await.refused(409), "conflict");
    assert_eq!(update().await.refused(404), "not_found");
    assert_eq!(ana.get("/v1/deployments/p").await.status, 404);
}

#[tokio::test]
async fn an_idempotency_key_does_not_serve_another_request() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let headers = [("content-type", "application/json"), ("idempotency-key", "k-1")];
    let send = |schedule: &str| {
        let body = json!({"pipeline": pipeline("p"), "schedule": schedule}).to_string();
        ana.send(http::Method::POST, "/v1/deployments", &headers, body.into_bytes())
    };
    send("@hourly").await.ok();

    assert_eq!(send("@daily").await.refused(409), "conflict");
}

#[tokio::test]
async fn a_project_that_was_removed_goes_on_with_its_versions_and_its_hook() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let first = ana.deploy(pipeline("p"), "manual").await.ok();
    ana.delete("/v1/deployments/p").await.ok();

    let second = ana.deploy(pipeline("p"), "manual").await.ok();

    assert_eq!(second["version"], 2);
    assert_eq!(second["hook"], first["hook"]);
}

#[tokio::test]
async fn a_stored_pipeline_comes_back_as_it_was_sent() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let pipeline = r#"{"project_id":"p", "source":"t","zz":1.0,"a":12345678901234567890123,"ünï":"\u00e9", "components":[{"id":"t","provider":"timer","config":{"mode":"Source"},"ui":{"x":1e2}},{"id":"r","provider":"response","config":{},"input":[{"lane":"documents","from":"t"}]}]}"#;
    let body = format!(r#"{{"pipeline": {pipeline}}}"#);
    let headers = [("content-type", "application/json")];
    ana.send(http::Method::POST, "/v1/deployments", &headers, body.into_bytes()).await.ok();

    let plane = &world.plane;
    let owner = tidemill_model::ids::OwnerId::parse("ana").unwrap();
    let project = tidemill_model::ids::ProjectId::parse("p").unwrap();
    let version = plane.store.version(&owner, &project, 1).await.unwrap().unwrap();
    let stored = plane.store.body(&owner, &project, &version.sha256).await.unwrap().unwrap();

    assert_eq!(String::from_utf8(stored).unwrap(), pipeline);
}

#[tokio::test]
async fn a_pipeline_of_nearly_four_mebibytes_is_taken_and_a_larger_one_refused_by_name() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let sized = |bytes: usize| {
        let mut large = pipeline("p");
        // Text that hardly compresses, so that it takes several chunks.
        let filling: String = (0..bytes)
            .scan(7u64, |seed, _| {
                *seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                Some(char::from(b'!' + (*seed >> 33) as u8 % 90))
            })
            .filter(|c| *c != '"' && *c != '\\')
            .collect();
        large["noise"] = Value::String(filling);
        large
    };
    let large = sized(4_000_000);

    ana.deploy(large.clone(), "manual").await.ok();
    assert_eq!(ana.get("/v1/deployments/p").await.ok()["pipeline"], large);

    let refused = ana.deploy(sized(4_500_000), "manual").await;
    assert!(refused.body.to_string().contains("4 MiB"), "{}", refused.body["message"]);
}

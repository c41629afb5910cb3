//! Webhooks.

use serde_json::{Value, json};
use tidemill_testing::{TestPlane, minutes};

fn echo(project: &str) -> Value {
    json!({
        "project_id": project,
        "source": "in",
        "components": [
            {"id": "in", "provider": "webhook", "config": {"mode": "Source", "type": "webhook"}},
            {"id": "out", "provider": "response", "config": {"lanes": []}, "input": [{"lane": "text", "from": "in"}]},
        ],
    })
}

async fn deployed(world: &TestPlane) -> (tidemill_testing::User, String) {
    let ana = world.user("ana").await;
    let added = ana.deploy(echo("p"), "manual").await.ok();
    let hook = added["hook"].as_str().unwrap().to_owned();
    (ana, hook)
}

#[tokio::test]
async fn an_accepted_body_is_run_also_if_the_plane_dies_right_after() {
    let world = TestPlane::new().await;
    let (ana, hook) = deployed(&world).await;

    let accepted =
        world.anonymous().send(http::Method::POST, &hook, &[("content-type", "text/plain")], b"hi".to_vec()).await;
    assert_eq!(accepted.status, 202);
    let run = accepted.ok()["id"].as_str().unwrap().to_owned();
    let world = world.restarted().await;
    world.settle().await;

    let ended = ana.at(&world.plane).get(&format!("/v1/runs/{run}")).await.ok();
    assert_eq!(ended["state"], "succeeded");
    assert_eq!(ended["trigger"], "webhook");
    assert_eq!(ended["result"]["text"], json!(["hi\n\n"]));
}

#[tokio::test]
async fn bodies_that_come_at_once_run_one_after_the_other() {
    let world = TestPlane::new().await;
    let (ana, hook) = deployed(&world).await;
    for number in 0..5 {
        let headers = [("content-type", "text/plain")];
        world.anonymous().send(http::Method::POST, &hook, &headers, number.to_string().into_bytes()).await.ok();
    }

    world.advance(minutes(1)).await;

    let runs = ana.runs("p").await;
    assert_eq!(runs.len(), 5);
    assert!(runs.iter().all(|run| run["state"] == "succeeded"), "{runs:?}");
}

#[tokio::test]
async fn unknown_removed_and_malformed_hooks_have_the_same_answer() {
    let world = TestPlane::new().await;
    let (ana, hook) = deployed(&world).await;
    ana.delete("/v1/deployments/p").await.ok();

    let caller = world.anonymous();
    let mut bodies = Vec::new();
    for path in [hook.as_str(), "/hooks/00000000000000000000000000", "/hooks/x"] {
        let answer = caller.post(path, json!({})).await;
        assert_eq!(answer.status, 404);
        bodies.push(answer.body);
    }
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test]
async fn a_paused_project_takes_no_webhooks() {
    let world = TestPlane::new().await;
    let (ana, hook) = deployed(&world).await;
    ana.post("/v1/deployments/p/pause", json!({})).await.ok();

    let answer = world.anonymous().post(&hook, json!({})).await;

    assert!(answer.headers.contains_key("retry-after"));
    assert_eq!(answer.refused(503), "unavailable");
    assert_eq!(ana.runs("p").await.len(), 0);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_by_name() {
    let world = TestPlane::new().await;
    let (_, hook) = deployed(&world).await;

    let answer = world.anonymous().send(http::Method::POST, &hook, &[], vec![b'x'; 1024 * 1024 + 1]).await;

    assert!(answer.body["message"].as_str().unwrap().contains("limit is 1048576"));
    assert_eq!(answer.refused(413), "too_large");
}

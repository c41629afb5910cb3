//! Showing a run.

use crate::given::{broken, echo, queued, ran, run};
use serde_json::json;
use tidemill_testing::{TestPlane, minutes, pipeline};

#[tokio::test]
async fn a_run_shows_its_cause_and_its_result() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "*/5 * * * *").await.ok();
    world.advance(minutes(10)).await;

    let id = ana.runs("p").await[1]["id"].as_str().unwrap().to_owned();
    let shown = run(&ana, &id).await;

    assert_eq!((&shown["project"], &shown["trigger"]), (&json!("p"), &json!("schedule")));
    assert_eq!((&shown["state"], &shown["attempt"]), (&json!("succeeded"), &json!(1)));
    for at in ["tick", "queuedAt", "startedAt", "endedAt"] {
        assert_eq!(shown[at], "2026-03-02T10:10:00Z", "{at}");
    }
    assert_eq!((&shown["durationMs"], &shown["objects"]), (&json!(0), &json!(1)));
    let document =
        json!({"scheduled": "2026-03-02T10:10:00Z", "previous": "2026-03-02T10:05:00Z", "trigger": "schedule"});
    assert_eq!(shown["result"]["documents"], json!([document]));
    assert_eq!(shown["error"], json!(null));
}

#[tokio::test]
async fn a_run_that_waits_has_neither_start_nor_end() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "manual").await.ok();

    let id = queued(&ana, "p").await;
    let shown = run(&ana, &id).await;

    assert_eq!(shown["state"], "queued");
    for field in ["tick", "startedAt", "endedAt", "durationMs", "error"] {
        assert_eq!(shown[field], json!(null), "{field}");
    }
    assert!(shown.get("result").is_none());
}

#[tokio::test]
async fn a_failed_run_names_the_component_and_what_to_do() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(broken("p"), "manual").await.ok();

    let shown = ran(&world, &ana, "p").await;

    assert_eq!(shown["state"], "failed");
    assert_eq!(shown["error"]["component"], "template_1");
    assert!(!shown["error"]["message"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn a_large_result_is_shown_whole() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(echo("p"), "manual").await.ok();
    let text = "0123456789".repeat(100_000);

    let started = ana.post("/v1/deployments/p/runs", json!({"input": text})).await.ok();
    world.settle().await;

    let shown = run(&ana, started["id"].as_str().unwrap()).await;
    assert_eq!(shown["result"]["text"], json!([format!("{text}\n\n")]));
}

#[tokio::test]
async fn a_run_is_found_with_its_project_and_not_with_another() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "manual").await.ok();
    ana.deploy(pipeline("q"), "manual").await.ok();
    let id = queued(&ana, "p").await;

    assert_eq!(ana.get(&format!("/v1/runs/{id}?project=p")).await.ok()["id"], id.as_str());
    assert_eq!(ana.get(&format!("/v1/runs/{id}?project=q")).await.refused(404), "not_found");
    assert_eq!(ana.get("/v1/runs/0000000000000000000000000A").await.refused(404), "not_found");
    assert_eq!(ana.get("/v1/runs/x").await.refused(400), "invalid_argument");
}

#[tokio::test]
async fn a_removed_projects_runs_are_still_shown() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "manual").await.ok();
    let ended = ran(&world, &ana, "p").await;
    ana.delete("/v1/deployments/p").await.ok();

    assert_eq!(run(&ana, ended["id"].as_str().unwrap()).await, ended);
}

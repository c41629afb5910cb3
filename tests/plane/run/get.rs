//! Showing a run.

use crate::given::{broken, chain, echo, queued, ran, run, stored};
use serde_json::{Value, json};
use tidemill_testing::{TestPlane, User, minutes, pipeline};

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
    assert_eq!(shown.get("result"), Some(&json!(null)));
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

/// A webhook on `documents`, a filter, and a response.
fn small_numbers(project: &str) -> Value {
    let numbers = ("json", json!({"program": ".[]"}), "documents");
    let small = ("filter", json!({"where": ". < 3"}), "documents");
    let hook = ("webhook", json!({}), "documents");
    chain(project, &[hook, numbers, small, ("response", json!({}), "")])
}

/// Runs a project with an input, and shows the run.
async fn ran_with(world: &TestPlane, user: &User, project: &str, input: Value) -> Value {
    let started = user.post(&format!("/v1/deployments/{project}/runs"), json!({"input": input})).await.ok();
    world.settle().await;
    run(user, started["id"].as_str().unwrap()).await
}

/// What each component counted, without its time.
fn counted(run: &Value) -> Value {
    let mut components = run["components"].clone();
    for component in components.as_array_mut().unwrap() {
        assert!(component.as_object_mut().unwrap().remove("durationMs").unwrap().is_u64());
    }
    components
}

#[tokio::test]
async fn each_component_counts_what_came_to_it_and_what_went_on() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(small_numbers("p"), "manual").await.ok();

    let shown = ran_with(&world, &ana, "p", json!([1, 2, 3, 4, 5])).await;

    let component = |id: &str, [taken, given, filtered]: [u64; 3]| json!({"id": id, "in": taken, "out": given, "filtered": filtered, "failed": 0, "dropped": []});
    assert_eq!(
        counted(&shown),
        json!([
            component("webhook_1", [0, 1, 0]),
            component("json_1", [1, 5, 0]),
            component("filter_1", [5, 2, 3]),
            component("response_1", [2, 0, 0]),
        ])
    );
    assert_eq!(shown["dropped"], 0);
}

#[tokio::test]
async fn what_is_dropped_is_shown_with_its_reason_and_in_lists_as_a_number() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(small_numbers("p"), "manual").await.ok();

    let shown = ran_with(&world, &ana, "p", json!("no list")).await;

    assert_eq!((&shown["state"], &shown["dropped"]), (&json!("succeeded"), &json!(1)));
    let reason = json!([{"reason": "nothing listens to its media type", "count": 1}]);
    assert_eq!(shown["components"][0]["dropped"], reason);
    let listed = &ana.runs("p").await[0];
    assert_eq!((&listed["dropped"], listed.get("components")), (&json!(1), None));
}

#[tokio::test]
async fn a_failed_run_shows_where_it_failed_and_what_it_had_counted() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(small_numbers("p"), "manual").await.ok();

    let shown = ran_with(&world, &ana, "p", json!(7)).await;

    assert_eq!(shown["state"], "failed");
    let json = &counted(&shown)[1];
    assert_eq!(*json, json!({"id": "json_1", "in": 1, "out": 0, "filtered": 0, "failed": 1, "dropped": []}));
}

#[tokio::test]
async fn a_run_of_many_components_shows_the_counts_of_all() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let log = |n: usize| json!({"id": format!("log_{n}"), "provider": "log", "config": {}, "input": [{"lane": "documents", "from": "t"}]});
    let timer = json!({"id": "t", "provider": "timer", "config": {"mode": "Source"}});
    let components: Vec<Value> = [timer].into_iter().chain((0..100).map(log)).collect();
    ana.deploy(json!({"project_id": "p", "source": "t", "components": components}), "manual").await.ok();

    let shown = ran(&world, &ana, "p").await;

    let taken: Vec<&Value> = shown["components"].as_array().unwrap().iter().map(|one| &one["in"]).collect();
    assert_eq!((taken.len(), taken[0]), (101, &json!(0)));
    assert!(taken[1..].iter().all(|taken| **taken == 1), "{taken:?}");
    assert!(stored(&world, shown["id"].as_str().unwrap()).await.components.is_none(), "the record stays small");
}

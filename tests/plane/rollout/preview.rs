//! Previews: what a rollout would do, without doing it.

use crate::given::rollouts::{begin, broken, live, roll_out, rollout, wanted};
use serde_json::{Value, json};
use tidemill_testing::{TestPlane, pipeline};

fn would(preview: &Value) -> Vec<String> {
    let items = preview["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| format!("{} {}", item["action"].as_str().unwrap(), item["project"].as_str().unwrap()))
        .collect()
}

#[tokio::test]
async fn a_preview_says_what_the_rollout_then_does_and_changes_nothing() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    roll_out(&world, &ana, rollout("night", &["a", "b", "c"], "old")).await;
    let mut request = rollout("night", &["a", "b", "d"], "old");
    request["pipelines"][1] = wanted("b", "new");

    let preview = ana.post("/v1/rollouts/preview", request.clone()).await.ok();

    assert_eq!(would(&preview), ["unchanged a", "update b", "create d", "delete c"]);
    assert_eq!((live(&ana, "b").await, live(&ana, "c").await, live(&ana, "d").await), (Some(1), Some(1), None));
    let done = roll_out(&world, &ana, request).await;
    assert_eq!(would(&done), would(&preview));
}

#[tokio::test]
async fn a_preview_neither_waits_for_a_rollout_nor_holds_one_up() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    begin(&ana, rollout("night", &["a"], "x")).await;

    let preview = ana.post("/v1/rollouts/preview", rollout("night", &["a"], "y")).await.ok();

    assert_eq!(would(&preview), ["create a"]);
    world.settle().await;
    assert_eq!(live(&ana, "a").await, Some(1));
}

#[tokio::test]
async fn pipelines_that_cannot_run_are_refused_with_all_that_is_wrong() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    let refused = ana
        .post(
            "/v1/rollouts/preview",
            json!({"group": "night", "pipelines": [broken("a"), wanted("b", "x"), broken("c")]}),
        )
        .await;

    let fields: Vec<_> = refused.body["details"]
        .as_array()
        .unwrap()
        .iter()
        .map(|detail| detail["field"].as_str().unwrap().to_owned())
        .collect();
    assert!(fields[0].starts_with("pipelines[0]") && fields.last().unwrap().starts_with("pipelines[2]"), "{fields:?}");
    assert_eq!(refused.refused(400), "invalid_argument");
}

#[tokio::test]
async fn a_project_of_another_group_is_named() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    roll_out(&world, &ana, rollout("night", &["a"], "x")).await;

    let preview = ana.post("/v1/rollouts/preview", rollout("day", &["a"], "x")).await.ok();

    assert!(preview["items"][0]["problem"].as_str().unwrap().contains("`night`"), "{preview}");
}

#[tokio::test]
async fn a_preview_shows_changes_of_the_graph_and_of_the_settings() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    roll_out(&world, &ana, json!({"group": "night", "pipelines": [with_template("a", "old"), wanted("b", "old")]}))
        .await;
    let mut changed = with_template("a", "hush");
    changed["maxAttempts"] = 7.into();

    let preview = ana
        .post(
            "/v1/rollouts/preview",
            json!({"group": "night", "pipelines": [changed, wanted("b", "old"), wanted("c", "x")]}),
        )
        .await
        .ok();

    let [a, b, c] = [0, 1, 2].map(|at| &preview["items"][at]);
    let changed = json!([{"id": "t", "fields": ["config.template"]}]);
    assert_eq!(
        a["graph"],
        json!({"added": [], "removed": [], "changed": changed, "connected": [], "disconnected": [], "source": null})
    );
    assert_eq!(a["settings"], json!([{"name": "maxAttempts", "before": 3, "after": 7}]));
    assert!(!preview.to_string().contains("hush"), "values are not shown: {preview}");
    assert_eq!((b.get("graph"), b.get("time")), (Some(&Value::Null), Some(&Value::Null)), "{b}");
    assert_eq!(c["graph"]["added"].as_array().unwrap().len(), pipeline("c")["components"].as_array().unwrap().len());
}

#[tokio::test]
async fn a_preview_shows_changes_of_time() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let scheduled = |project: &str, schedule: &str| {
        let mut wanted = wanted(project, "x");
        wanted["schedule"] = schedule.into();
        wanted
    };
    let all = |schedule: &str| json!({"group": "night", "gone": "prune", "pipelines": [scheduled("a", schedule)]});
    let first = json!({"group": "night", "pipelines": [scheduled("a", "*/5 * * * *"), scheduled("b", "@hourly")]});
    roll_out(&world, &ana, first).await;
    ana.post("/v1/deployments/a/pause", json!({})).await.ok();

    let preview = ana.post("/v1/rollouts/preview", all("*/10 * * * *")).await.ok();

    let time = &preview["items"][0]["time"];
    assert_eq!(time["scheduleBefore"], json!({"schedule": "*/5 * * * *", "timezone": "UTC"}));
    assert_eq!((time["before"].as_array().unwrap().len(), time["after"].as_array().unwrap().len()), (10, 10));
    assert_eq!((time["dropped"].as_array().unwrap().len(), time["added"].as_array().unwrap().len()), (5, 0), "{time}");
    assert_eq!(time["paused"], true);
    let gone = &preview["items"][1]["time"];
    assert_eq!((gone["dropped"].as_array().unwrap().len(), gone["scheduleAfter"].is_null()), (10, true), "{gone}");
}

#[tokio::test]
async fn a_source_that_waits_for_input_is_shown_also_if_the_schedule_stays() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let mut first = wanted("a", "x");
    first["schedule"] = "@hourly".into();
    roll_out(&world, &ana, json!({"group": "night", "pipelines": [first]})).await;
    let waiting = json!({"pipeline": {"project_id": "a", "components": [
        {"id": "hook", "provider": "webhook", "config": {}},
        {"id": "out", "provider": "response", "config": {}, "input": [{"lane": "text", "from": "hook"}]},
    ]}});

    let preview = ana.post("/v1/rollouts/preview", json!({"group": "night", "pipelines": [waiting]})).await.ok();

    let warning = &preview["items"][0]["warnings"][0];
    assert!(warning["message"].as_str().unwrap().contains("`hook` waits for a caller"), "{preview}");
}

/// A pipeline with a setting for each version.
fn with_template(project: &str, template: &str) -> Value {
    json!({"pipeline": {"project_id": project, "components": [
        {"id": "now", "provider": "timer", "config": {}},
        {"id": "t", "provider": "template", "config": {"template": template}, "input": [{"lane": "documents", "from": "now"}]},
        {"id": "out", "provider": "response", "config": {}, "input": [{"lane": "text", "from": "t"}]},
    ]}})
}

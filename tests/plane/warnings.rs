//! What is allowed and probably not meant: every answer that has a place for warnings has them.

use crate::given::{chain, echo};
use serde_json::{Value, json};
use tidemill_testing::{TestPlane, User, minutes, seconds};

/// The messages of the warnings in an answer.
fn warned(answer: &Value) -> Vec<String> {
    let warnings = answer["warnings"].as_array().cloned().unwrap_or_default();
    warnings.iter().map(|warning| warning["message"].as_str().unwrap().to_owned()).collect()
}

fn timer(config: Value) -> Value {
    chain("p", &[("timer", json!({}), "documents"), ("http_request", config, "documents"), ("log", json!({}), "")])
}

#[tokio::test]
async fn a_slip_that_does_no_harm_is_warned_of_by_add_update_validate_and_preview() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let headers = json!({"Authorization": "Bearer 0123456789abcdef", "X-Tenant": "${TENANT ID}"});
    let mut pipeline = timer(json!({"url": "${BASE}/x", "headers": headers, "retry": 3, "name": "Send it"}));
    pipeline["schedule"] = "0 7 * * *".into();
    pipeline["components"][2]["input"] =
        json!([{"lane": "documents", "from": "http_request_1"}, {"lane": "questions", "from": "http_request_1"}]);
    let expected = [
        "pipeline has `schedule`, which has no effect inside a pipeline",
        "source `timer_1` is a timer, but no schedule starts this pipeline",
        "component `http_request_1` has the unknown property `config.retry`",
        "component `http_request_1` has what looks like a credential in `config.headers.Authorization`",
        "component `http_request_1` has `${TENANT ID}` in `config.headers.X-Tenant`, which names no secret",
        "component `log_1` expects `questions` from `http_request_1`, which does not give it",
    ];
    let unset = "component `http_request_1` names the secret `BASE`, which is not set";

    let checked = ana.post("/v1/validate", json!({"pipeline": pipeline, "schedule": "manual"})).await.ok();
    let request = json!({"pipelines": [{"pipeline": pipeline}], "partial": true});
    let previewed = ana.post("/v1/rollouts/preview", request).await.ok();
    let added = ana.deploy(pipeline.clone(), "manual").await.ok();
    let updated = ana.patch("/v1/deployments/p", json!({"pipeline": pipeline})).await.ok();
    ana.put("/v1/secrets/BASE", json!({"value": "https://example.com"})).await.ok();
    let set = ana.patch("/v1/deployments/p", json!({"pipeline": pipeline, "schedule": "0 7 * * *"})).await.ok();

    let with_secrets: Vec<&str> = expected.into_iter().chain([unset]).collect();
    for answer in [&checked, &previewed["items"][0], &added, &updated] {
        assert_eq!(warned(answer), with_secrets, "{answer}");
        assert!(!answer["warnings"].to_string().contains("0123456789abcdef"), "a warning repeats no credential");
    }
    let on_schedule: Vec<&str> = expected.into_iter().filter(|warning| !warning.contains("is a timer")).collect();
    assert_eq!(warned(&set), on_schedule);
}

#[tokio::test]
async fn a_secret_that_is_not_set_is_warned_of_wherever_a_pipeline_goes_live() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let mut dap = world.socket(&ana).await;
    let template = ("template", json!({"template": "${A} ${ROCKETRIDE_B}"}), "text");
    let pipeline = chain("p", &[("webhook", json!({}), "text"), template, ("response", json!({}), "")]);
    // What a caller may give as a variable is no secret.
    let unset = "component `template_1` names the secret `A`, which is not set";

    let started = ana.post("/v1/rollouts", json!({"partial": true, "pipelines": [{"pipeline": pipeline}]})).await.ok();
    world.settle().await;
    ana.post("/v1/deployments/p/versions", json!({"pipeline": pipeline})).await.ok();
    let environment = "/v1/environments/staging/projects/p";
    let deployed = ana.put(environment, json!({"version": 2})).await.ok();
    let set = ana.patch(&format!("{environment}/sources/webhook_1"), json!({"schedule": null})).await.ok();
    let disabled = ana.post(&format!("{environment}/disable"), Value::Null).await.ok();
    let opened = ana.post("/v1/tasks", json!({"pipeline": pipeline})).await.ok();
    let used = dap.ask("execute", json!({"pipeline": pipeline, "token": "x", "env": {"ROCKETRIDE_B": "b"}})).await.ok();
    let checked = dap.ask("rrext_validate", json!({"pipeline": pipeline})).await.ok();
    ana.put("/v1/secrets/A", json!({"value": "abcdefgh"})).await.ok();
    let again = ana.put(environment, json!({"version": 2})).await.ok();

    assert_eq!(warned(&started), [format!("`p`: {unset}")], "{started}");
    assert_eq!(started["warnings"][0]["field"], "pipelines[0]./components/1/config");
    for answer in [&deployed, &set, &opened] {
        assert_eq!(warned(answer), [unset], "{answer}");
    }
    for answer in [&used, &checked] {
        assert!(matches!(&warned(answer)[..], [one] if one.starts_with(unset)), "{answer}");
    }
    assert_eq!((warned(&again), warned(&disabled)), (vec![], vec![]));
}

#[tokio::test]
async fn what_rocketrides_editor_writes_is_taken_in_silence() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let mut pipeline = echo("p");
    pipeline["components"][1]["config"] = json!({
        "name": "Answer", "description": "Gives it back", "hideForm": true, "mode": "Target", "type": "response",
        "parameters": {}, "actions": [], "lanes": [],
    });

    assert_eq!(warned(&ana.deploy(pipeline, "manual").await.ok()), [""; 0]);
}

/// A timer and a webhook, each with an answer of its own, and no word of where to start.
async fn deployed_with_two_sources(ana: &User) -> Value {
    let respond = |id: &str, lane: &str, from: &str| json!({"id": id, "provider": "response", "config": {"laneName": id}, "input": [{"lane": lane, "from": from}]});
    let pipeline = json!({"project_id": "p", "components": [
        {"id": "tick", "provider": "timer", "config": {}},
        {"id": "hook", "provider": "webhook", "config": {}},
        respond("ticked", "text", "tick"),
        respond("called", "text", "hook"),
    ]});
    ana.deploy(pipeline, "* * * * *").await.ok()
}

#[tokio::test]
async fn of_two_sources_each_is_started_by_its_own_triggers() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let deployed = deployed_with_two_sources(&ana).await;
    let body = |text: &str| text.as_bytes().to_vec();

    world.advance(minutes(1)).await;
    let hook = deployed["hook"].as_str().unwrap();
    ana.send(http::Method::POST, hook, &[("content-type", "text/plain")], body("hi")).await.ok();
    world.settle().await;
    ana.post("/v1/deployments/p/runs", json!({"input": "by hand"})).await.ok();
    world.settle().await;
    // Ids of one millisecond have no order.
    world.advance(seconds(1)).await;
    ana.post("/v1/deployments/p/runs", json!({})).await.ok();
    world.settle().await;

    assert_eq!(warned(&deployed), [""; 0]);
    let mut results = Vec::new();
    for run in ana.runs("p").await {
        let run = ana.get(&format!("/v1/runs/{}", run["id"].as_str().unwrap())).await.ok();
        let members = run["result"].as_object().unwrap().keys().filter(|key| *key != "result_types");
        results.push(format!("{} {}", run["trigger"].as_str().unwrap(), members.cloned().collect::<String>()));
    }
    assert_eq!(results, ["schedule ticked", "webhook called", "manual called", "manual ticked"]);
}

#[tokio::test]
async fn a_value_that_comes_back_on_another_lane_passes_each_time() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let mut pipeline = echo("p");
    let filter = json!({"id": "gate", "provider": "filter", "config": {"where": "true"}, "input": [
        {"lane": "text", "from": "webhook_1"}, {"lane": "documents", "from": "wrap"}]});
    let wrap = json!({"id": "wrap", "provider": "json", "config": {"program": "{said: .}"}, "input": [
        {"lane": "text", "from": "gate"}]});
    pipeline["components"].as_array_mut().unwrap().extend([filter, wrap]);
    pipeline["components"][1]["input"] = json!([{"lane": "documents", "from": "gate"}]);
    ana.deploy(pipeline, "manual").await.ok();

    let id = ana.post("/v1/deployments/p/runs", json!({"input": "hi"})).await.ok()["id"].clone();
    world.settle().await;

    let run = ana.get(&format!("/v1/runs/{}", id.as_str().unwrap())).await.ok();
    assert_eq!(run["result"]["documents"], json!([{"said": "hi"}]), "{run}");
}

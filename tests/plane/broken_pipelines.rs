//! Pipelines that are certain to fail, in one table. Every protocol refuses them with the reason, and nothing changes.

use crate::given::rollouts::live;
use crate::given::{chain, checkly};
use serde_json::{Value, json};
use tidemill_testing::{Dap, TestPlane, User};

/// A pipeline, and what every refusal of it says.
type Case = (Value, &'static str);

/// A timer, a component, and a log of what it gives on `documents`.
fn with(provider: &str, config: Value) -> Value {
    chain("p", &[("timer", json!({}), "documents"), (provider, config, "documents"), ("log", json!({}), "")])
}

fn request(config: Value) -> Value {
    with("http_request", config)
}

/// A timer and a sink.
fn into(provider: &str, config: Value) -> Value {
    chain("p", &[("timer", json!({}), "documents"), (provider, config, "")])
}

/// The sound pipeline with another value at a place.
fn changed(pointer: &str, value: Value) -> Value {
    let mut pipeline = sound();
    *pipeline.pointer_mut(pointer).expect("the place is there") = value;
    pipeline
}

fn sound() -> Value {
    with("json", json!({"program": ".scheduled"}))
}

/// The texts that the engine reads.
fn texts() -> Vec<Case> {
    let example = "https://example.com/";
    vec![
        (with("json", json!({"program": ".a |"})), "is not a jq program: expected term, at character 5"),
        (with("json", json!({"program": ".a\n| upcase(.)"})), "`upcase` is not defined, at line 2, character 3"),
        (with("json", json!({"program": "[".repeat(5_000)})), "is nested deeper than 250 levels"),
        (with("filter", json!({"where": "$value.a"})), "the variable `$value` is not defined"),
        (with("filter", json!({"where": "\"${TOKEN}\" == nope"})), "`nope` is not defined"),
        (with("dedupe", json!({"key": ".id //"})), "has a `config.key` that is not a jq program"),
        (with("dedupe", json!({"expires": "400d"})), "is not a time of at most 366 days"),
        (with("dedupe", json!({"expires": "a month"})), "is not a time of at most 366 days"),
        (
            with("template", json!({"template": "{% for i in items %}"})),
            "has a `config.template` that is not a template",
        ),
        (with("template", json!({"template": "{{ value.a | uper }}"})), "the unknown filter `uper`"),
        (with("template", json!({"template": "{% if value is nul %}{% endif %}"})), "the unknown test `nul`"),
        (with("template", json!({"template": "{{ today() }}"})), "the unknown function `today`"),
        (request(json!({"url": "example.com/items"})), "relative URL without a base"),
        (request(json!({"url": "ftp://example.com/"})), "a URL of the scheme `ftp` is refused"),
        (request(json!({"url": "https://?q=1"})), "empty host"),
        (request(json!({"url": "https://ana:pw@example.com/"})), "a user name or a password"),
        (request(json!({"url": "https://example.com/{{ value.id"})), "has a `config.url` that is not a template"),
        (request(json!({"url": example, "headers": {"X Token": "1"}})), "is not the name of a header"),
        (request(json!({"url": example, "headers": {"X-A": "1\r\nX-B: 2"}})), "a character that headers cannot have"),
        (request(json!({"url": example, "body": "{{ value | to_json }}"})), "the unknown filter `to_json`"),
        (into("file_sink", json!({"path": "/etc/passwd"})), "has a `config.path` that is an absolute path"),
        (into("file_sink", json!({"path": "a/../../b.txt"})), "has a `config.path` that leads out of its folder"),
        (
            chain("p", &[("file_source", json!({"path": "../*.txt"}), "documents"), ("log", json!({}), "")]),
            "has a `config.path` that leads out of its folder",
        ),
    ]
}

/// What the compiler reads.
fn graphs() -> Vec<Case> {
    let mut two_timers = sound();
    let second = json!({"id": "second", "provider": "timer", "config": {}});
    two_timers["components"].as_array_mut().unwrap().push(second);
    two_timers.as_object_mut().unwrap().remove("source");
    two_timers["components"][0]["config"] = json!({});
    let mut cycle = with("template", json!({"template": "x"}));
    let inputs = json!([{"lane": "documents", "from": "timer_1"}, {"lane": "documents", "from": "template_1"}]);
    cycle["components"][1]["input"] = inputs;
    vec![
        (with("filter", json!({"were": ".a"})), "the unknown property `config.were` and no `config.where`"),
        (request(json!({"url": "https://example.com/", "retries": "3"})), "has a string as `config.retries`"),
        (changed("/components/1/provider", json!("jsn")), "the unknown provider `jsn`"),
        (
            changed("/components/2/input/0/lane", json!("audio")),
            "expects `audio` from `json_1`, which does not give it",
        ),
        (cycle, "components form a cycle"),
        (two_timers, "pipeline has 2 sources and does not say where to start"),
        (changed("/components/2/id", json!("a\u{202e}b")), "has the control character"),
        (changed("/project_id", json!("..")), "project id `..` is a step of a path"),
    ]
}

#[tokio::test]
async fn a_pipeline_that_is_certain_to_fail_is_refused_by_every_protocol_and_what_was_live_stays_live() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let mut dap = world.socket(&ana).await;
    ana.deploy(sound(), "0 7 * * *").await.ok();
    let cases: Vec<Case> = texts().into_iter().chain(graphs()).collect();
    assert_eq!(cases.len(), 31);

    for (pipeline, reason) in cases {
        let refusals = [
            ("validate", validated(&ana, &pipeline).await),
            ("PATCH", updated(&ana, &pipeline).await),
            ("POST", added(&ana, &pipeline).await),
            ("deploy", rolled_out(&world, &ana, &pipeline).await),
            ("rrext_validate", validated_by_rocketride(&mut dap, &pipeline).await),
            ("rrext_deploy_add", added_by_rocketride(&mut dap, &pipeline).await),
            ("Checkly's preview", previewed_by_checkly(&ana, &pipeline).await),
            ("Checkly's deploy", deployed_by_checkly(&world, &ana, &pipeline).await),
        ];

        for (protocol, said) in refusals {
            assert!(said.contains(reason), "{protocol}: {pipeline}\nsays {said}\nand not {reason}");
        }
        assert_eq!(live(&ana, "p").await, Some(1), "{pipeline}");
    }
    assert_eq!(ana.get("/v1/deployments/p").await.ok()["pipeline"], sound());
}

async fn validated(ana: &User, pipeline: &Value) -> String {
    let answer = ana.post("/v1/validate", json!({"pipeline": pipeline})).await.ok();
    assert_eq!(answer["valid"], false, "{answer}");
    for error in answer["errors"].as_array().unwrap() {
        let is_whole = ["field", "message", "hint"].iter().all(|member| error[member].is_string());
        assert!(is_whole, "{error}");
    }
    said(&answer["errors"])
}

async fn updated(ana: &User, pipeline: &Value) -> String {
    let answer = ana.patch("/v1/deployments/p", json!({"pipeline": pipeline})).await;
    assert_eq!(answer.status, 400, "{}", answer.body);
    said(&answer.body["details"])
}

async fn added(ana: &User, pipeline: &Value) -> String {
    let answer = ana.deploy(pipeline.clone(), "manual").await;
    assert_eq!(answer.status, 400, "{}", answer.body);
    said(&answer.body["details"])
}

/// As the command deploys a file.
async fn rolled_out(world: &TestPlane, ana: &User, pipeline: &Value) -> String {
    let begun = ana.post("/v1/rollouts", json!({"pipelines": [{"pipeline": pipeline}], "partial": true})).await;
    if begun.status == 400 {
        return said(&begun.body["details"]);
    }
    world.settle().await;
    let rollout = ana.get(&format!("/v1/rollouts/{}", begun.ok()["id"].as_str().unwrap())).await.ok();
    assert_eq!(rollout["state"], "failed", "{rollout}");
    rollout["error"]["message"].as_str().unwrap().to_owned()
}

async fn validated_by_rocketride(dap: &mut Dap, pipeline: &Value) -> String {
    said(&dap.ask("rrext_validate", json!({"pipeline": pipeline})).await.ok()["errors"])
}

async fn added_by_rocketride(dap: &mut Dap, pipeline: &Value) -> String {
    dap.ask("rrext_deploy_add", json!({"pipeline": pipeline})).await.refused()
}

async fn previewed_by_checkly(ana: &User, pipeline: &Value) -> String {
    let sent = checkly::envelope("etl", [("one", pipeline.clone())]);
    checkly::refused(&checkly::post(ana, "dryRun=true", &sent).await, 400)
}

async fn deployed_by_checkly(world: &TestPlane, ana: &User, pipeline: &Value) -> String {
    let sent = checkly::envelope("etl", [("one", pipeline.clone())]);
    let begun = checkly::post(ana, "dryRun=false", &sent).await;
    if begun.status == 400 {
        return checkly::refused(&begun, 400);
    }
    world.settle().await;
    let deployment = ana.get(&checkly::deployment("etl", begun.ok()["id"].as_str().unwrap())).await.ok();
    assert_eq!(deployment["status"], "FAILED", "{deployment}");
    deployment["error"]["message"].as_str().unwrap().to_owned()
}

/// The messages of a list of problems.
fn said(problems: &Value) -> String {
    let problems = problems.as_array().expect("there is a list of problems");
    problems.iter().map(|problem| problem["message"].as_str().unwrap()).collect::<Vec<_>>().join("\n")
}

//! How long records are kept: what the table's time to live takes, and what it leaves.

use crate::given::environments::{deployed as live_in, once};
use crate::given::rollouts::{roll_out, rollout};
use crate::given::{copy, echo, lines, logging, queued, ran, run, stored};
use http::Method;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tidemill_model::ids::OwnerId;
use tidemill_store::Checkpoint;
use tidemill_testing::{TestPlane, User, minutes, pipeline};

const DAY: u64 = 24 * 60;

/// More than a run's record takes, and not to be compressed.
fn large_text() -> String {
    let numbers = (0..40_000_u64).map(|number| number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_string());
    numbers.collect::<Vec<_>>().join(" ")
}

/// Sends a webhook's body, and gives its run once it has ended.
async fn sent(world: &TestPlane, hook: &str, body: &str) -> String {
    let headers = [("content-type", "text/plain")];
    let answer = world.anonymous().send(http::Method::POST, hook, &headers, body.as_bytes().to_vec()).await.ok();
    world.settle().await;
    answer["id"].as_str().unwrap().to_owned()
}

async fn deployed(ana: &User) -> String {
    ana.deploy(echo("p"), "manual").await.ok()["hook"].as_str().unwrap().to_owned()
}

/// How many items a partition has, by the first word of their sort keys.
async fn kinds(world: &TestPlane, partition: &str) -> BTreeMap<String, usize> {
    let mut kinds = BTreeMap::new();
    for (_, sort) in world.places().await.into_iter().filter(|(found, _)| found == partition) {
        *kinds.entry(sort.split('#').next().unwrap_or_default().to_owned()).or_default() += 1;
    }
    kinds
}

fn counted<const N: usize>(kinds: [(&str, usize); N]) -> BTreeMap<String, usize> {
    kinds.into_iter().map(|(kind, count)| (kind.to_owned(), count)).collect()
}

#[tokio::test]
async fn what_runs_and_rollouts_leave_behind_goes_after_a_month_and_what_is_deployed_stays() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let hook = deployed(&ana).await;
    sent(&world, &hook, &large_text()).await;
    roll_out(&world, &ana, rollout("night", &["a"], "one")).await;
    ana.deploy(pipeline("daily"), "@daily").await.ok();
    assert!(kinds(&world, "P#ana#p").await["run-body"] >= 2, "an input and a result of several chunks");

    world.advance(minutes(DAY * 32)).await;
    world.expire();

    assert_eq!(kinds(&world, "P#ana#p").await, counted([("audit", 1), ("body", 2), ("version", 1)]));
    let daily = kinds(&world, "P#ana#daily").await;
    assert!((29..=31).contains(&daily["run"]), "those of the last month: {daily:?}");
    let owners = kinds(&world, "O#ana").await;
    assert_eq!(owners, counted([("deployment", 3), ("group", 1), ("key", 1), ("member", 1)]));
    assert!(world.places().await.iter().all(|(partition, _)| !partition.starts_with("R#")), "nothing of the rollout");
    let again = sent(&world, &hook, "hello").await;
    assert_eq!(run(&ana, &again).await["result"]["text"], json!(["hello\n\n"]));
}

#[tokio::test]
async fn what_a_later_run_took_and_gave_again_is_kept_for_it() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let hook = deployed(&ana).await;
    let text = large_text();
    sent(&world, &hook, &text).await;
    world.advance(minutes(DAY * 20)).await;
    let later = sent(&world, &hook, &text).await;

    world.advance(minutes(DAY * 20)).await;
    world.expire();

    let given = run(&ana, &later).await["result"]["text"][0].as_str().map(str::to_owned);
    assert!(given.is_some_and(|given| given.trim_end() == text), "its result is there, whole");
    assert_eq!(kinds(&world, "P#ana#p").await["run"], 1, "the first is gone");
}

#[tokio::test]
async fn a_pipeline_that_was_also_sent_to_a_hook_stays() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let hook = deployed(&ana).await;
    sent(&world, &hook, &echo("p").to_string()).await;

    world.advance(minutes(DAY * 40)).await;
    world.expire();

    assert_eq!(ana.get("/v1/deployments/p").await.ok()["pipeline"], echo("p"));
}

/// Opens a task that is never idle for too long, and gives its token and the id of its run.
async fn opened(ana: &User, more: Value) -> (String, String) {
    let mut request = json!({"pipeline": echo("served"), "ttlSeconds": 0});
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let task = ana.post("/v1/tasks", request).await.ok();
    let text = |field: &str| task[field].as_str().unwrap().to_owned();
    (text("token"), text("run"))
}

#[tokio::test]
async fn the_run_of_an_open_task_stays_as_long_as_the_task() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let (token, id) = opened(&ana, json!({})).await;

    world.sleep(minutes(DAY * 100));
    world.sweep().await;
    world.expire();

    assert_eq!(run(&ana, &id).await["state"], "running");
    ana.delete(&format!("/v1/tasks/{token}")).await.ok();
    assert_eq!(run(&ana, &id).await["state"], "cancelled");
    world.sleep(minutes(DAY * 29));
    world.expire();
    run(&ana, &id).await;
    world.sleep(minutes(DAY * 2));
    world.expire();
    ana.get(&format!("/v1/runs/{id}")).await.refused(404);
}

#[tokio::test]
async fn the_run_of_a_task_that_an_earlier_version_opened_stays_too() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let (_, id) = opened(&ana, json!({})).await;
    let expires = world.now() + jiff::SignedDuration::from_hours(24 * 30);
    world
        .rewrite(|item| {
            if item["sk"].as_s().unwrap().starts_with("run#") {
                item.insert("expires".into(), tidemill_testing::AttributeValue::N(expires.as_second().to_string()));
            }
        })
        .await;

    world.sleep(minutes(DAY * 29));
    world.sweep().await;
    world.sleep(minutes(DAY * 29));
    world.expire();

    assert_eq!(run(&ana, &id).await["state"], "running");
}

#[tokio::test]
async fn a_run_that_waits_for_its_deployment_for_months_is_there_and_says_that_its_input_is_gone() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let hook = deployed(&ana).await;
    let mut waiting = vec![queued(&ana, "p").await];
    for length in [1_000, 100] {
        let accepted = world.anonymous().post(&hook, json!({"hello": "x".repeat(length)})).await.ok();
        waiting.push(accepted["id"].as_str().unwrap().to_owned());
    }
    ana.post("/v1/deployments/p/pause", json!({})).await.ok();

    world.sleep(minutes(DAY * 60));
    world.sweep().await;
    world.expire();
    ana.post("/v1/deployments/p/resume", Value::Null).await.ok();
    world.advance(minutes(1)).await;

    let [without, large, small] =
        [run(&ana, &waiting[0]).await, run(&ana, &waiting[1]).await, run(&ana, &waiting[2]).await];
    assert_eq!(large["state"], "failed");
    assert!(large["error"]["message"].as_str().unwrap().contains("31 days"), "{large}");
    assert_eq!((&without["state"], &small["state"]), (&json!("succeeded"), &json!("succeeded")), "kept with its run");
}

/// The kinds of items that the table has: the words that their partition and their sort key begin with.
async fn all_kinds(world: &TestPlane) -> BTreeSet<(String, String)> {
    let word = |key: String| key.split(['#', '\u{1}']).next().unwrap_or_default().to_owned();
    let kind = |(partition, sort): (String, String)| match partition.as_str() {
        "OWNERS" | "STRANGERS" => (partition, "*".to_owned()),
        _ => (word(partition), word(sort)),
    };
    world.places().await.into_iter().map(kind).collect()
}

fn kinds_of(kinds: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    kinds.iter().map(|(partition, sort)| ((*partition).to_owned(), (*sort).to_owned())).collect()
}

/// What stays until an owner removes it.
const LASTING: [(&str, &str); 21] = [
    ("META", "LAYOUT"),
    ("META", "SWEEP"),
    ("OWNERS", "*"),
    ("O", "deployment"),
    ("O", "environment"),
    ("O", "key"),
    ("O", "secret"),
    ("O", "task"),
    ("O", "serving"),
    ("O", "TASKS"),
    ("O", "group"),
    ("O", "member"),
    ("K", "KEY"),
    ("K", "TASK"),
    ("W", "BELL"),
    ("H", "HOOK"),
    ("P", "version"),
    ("P", "body"),
    ("P", "run"),
    ("P", "audit"),
    ("P", "environment-audit"),
];
/// What goes by itself.
const PASSING: [(&str, &str); 15] = [
    ("O", "notice"),
    ("O", "idempotency"),
    ("O", "rollout"),
    ("R", "resource"),
    ("R", "body"),
    ("STRANGERS", "*"),
    ("C", "CONNECTION"),
    ("W", "watcher"),
    ("P", "run-body"),
    ("P", "log"),
    ("P", "trace"),
    ("P", "checkpoint"),
    ("P", "checkpoint-body"),
    ("P", "seen"),
    ("P", "tick"),
];

#[tokio::test]
async fn of_all_kinds_of_items_those_that_must_stay_are_left_after_a_month() {
    let world = TestPlane::new().await.behind_api_gateway();
    let ana = world.user("ana").await;
    let hook = deployed(&ana).await;
    sent(&world, &hook, &large_text()).await;
    lines(&world, 300);
    for pipeline in [copy("copy"), logging("logging")] {
        let project = pipeline["project_id"].as_str().unwrap().to_owned();
        ana.deploy(pipeline, "* * * * *").await.ok();
        ran(&world, &ana, &project).await;
    }
    ana.post("/v1/deployments/copy/pause", json!({})).await.ok();
    world.advance(minutes(3)).await;
    ana.post("/v1/deployments/copy/resume", Value::Null).await.ok();
    ana.put("/v1/secrets/TOKEN", json!({"value": "a long enough secret"})).await.ok();
    once(&ana, Method::PATCH, "/v1/deployments/logging", json!({"schedule": "manual"})).await.ok();
    ana.post("/v1/deployments/p/versions", json!({"pipeline": echo("p")})).await.ok();
    live_in(&ana, "staging", 1).await;
    roll_out(&world, &ana, rollout("night", &["a"], "one")).await;
    let (token, id) = opened(&ana, json!({"trace": "full"})).await;
    let headers = [("content-type", "text/plain")];
    ana.send(Method::POST, &format!("/v1/tasks/{token}/objects"), &headers, b"hello".to_vec()).await;
    let (ended, _) = opened(&ana, json!({"pipeline": echo("ended")})).await;
    ana.delete(&format!("/v1/tasks/{ended}")).await.ok();
    let _visitor = (world.visits(&ana).await, world.visitor(7).await.unwrap());
    let run = stored(&world, &sent(&world, &hook, "small").await).await;
    let store = &world.plane.store;
    let large = Checkpoint(large_text());
    store.put_large_checkpoint(&run, &large, world.now() + tidemill_model::retention::HISTORY).await.unwrap().unwrap();
    store.note_sweep_cursor(Some(&OwnerId::parse("ana").unwrap())).await.unwrap();
    store.note_layout().await.unwrap();
    let before = all_kinds(&world).await;
    let expected: BTreeSet<_> = kinds_of(&LASTING).into_iter().chain(kinds_of(&PASSING)).collect();
    assert_eq!(before, expected, "every kind of lib/store/src/keys.rs is there");

    world.sleep(minutes(DAY * 32));
    world.expire();

    assert_eq!(all_kinds(&world).await, kinds_of(&LASTING));
    let runs: Vec<String> =
        world.places().await.into_iter().map(|(_, sk)| sk).filter(|sk| sk.starts_with("run#")).collect();
    assert_eq!(runs, [format!("run#{id}")], "that of the open task");
}

//! How long records are kept: what the table's time to live takes, and what it leaves.

use crate::given::rollouts::{roll_out, rollout};
use crate::given::{echo, run};
use serde_json::json;
use std::collections::BTreeMap;
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

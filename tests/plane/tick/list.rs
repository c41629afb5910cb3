//! The ledger of ticks.

use serde_json::{Value, json};
use tidemill_testing::{TestPlane, User, minutes, pipeline};

/// Ticks every minute: 10:01 and 10:02 ran, 10:03 and 10:04 were paused, 10:05 and 10:06 ran.
async fn with_six_ticks(world: &TestPlane) -> User {
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "* * * * *").await.ok();
    world.advance(minutes(2)).await;
    ana.post("/v1/deployments/p/pause", json!({})).await.ok();
    world.advance(minutes(2)).await;
    ana.post("/v1/deployments/p/resume", Value::Null).await.ok();
    world.advance(minutes(2)).await;
    ana
}

async fn at(user: &User, query: &str) -> Vec<String> {
    let list = user.get(&format!("/v1/deployments/p/ticks?{query}")).await.ok();
    list["items"].as_array().unwrap().iter().map(|tick| tick["at"].as_str().unwrap()[11..16].to_owned()).collect()
}

#[tokio::test]
async fn every_due_minute_is_listed_newest_first_with_its_outcome() {
    let world = TestPlane::new().await;
    let ana = with_six_ticks(&world).await;

    assert_eq!(ana.ticks("p").await, ["ran", "ran", "skipped(paused)", "skipped(paused)", "ran", "ran"]);
    assert_eq!(at(&ana, "limit=100").await, ["10:06", "10:05", "10:04", "10:03", "10:02", "10:01"]);
}

#[tokio::test]
async fn a_tick_that_ran_names_its_run() {
    let world = TestPlane::new().await;
    let ana = with_six_ticks(&world).await;

    let list = ana.get("/v1/deployments/p/ticks").await.ok();

    let newest = &list["items"][0];
    let run = ana.get(&format!("/v1/runs/{}", newest["run"].as_str().unwrap())).await.ok();
    assert_eq!(run["tick"], newest["at"]);
    assert_eq!(list["items"][2]["run"], Value::Null);
}

#[tokio::test]
async fn while_it_is_paused_the_ledger_grows_by_what_is_skipped() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "* * * * *").await.ok();
    ana.post("/v1/deployments/p/pause", json!({})).await.ok();

    world.advance(minutes(3)).await;

    assert_eq!(ana.ticks("p").await, ["skipped(paused)"; 3]);
}

#[tokio::test]
async fn ticks_are_listed_from_an_instant_to_before_another() {
    let world = TestPlane::new().await;
    let ana = with_six_ticks(&world).await;

    for (query, expected) in [
        ("since=2026-03-02T10:05:00Z", vec!["10:06", "10:05"]),
        ("until=2026-03-02T10:03:00Z", vec!["10:02", "10:01"]),
        ("since=2026-03-02T10:02:00Z&until=2026-03-02T10:05:00Z", vec!["10:04", "10:03", "10:02"]),
        ("since=2026-03-02T10:02:01Z&until=2026-03-02T10:02:59Z", vec![]),
        ("until=2026-03-02T10:00:00Z", vec![]),
    ] {
        assert_eq!(at(&ana, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn pages_hold_every_tick_once() {
    let world = TestPlane::new().await;
    let ana = with_six_ticks(&world).await;

    for limit in [1, 2, 4, 6] {
        let mut seen = Vec::new();
        let mut path = format!("/v1/deployments/p/ticks?limit={limit}");
        loop {
            let page = ana.get(&path).await.ok();
            let items = page["items"].as_array().unwrap();
            assert!(items.len() <= limit);
            seen.extend(items.iter().map(|tick| tick["at"].as_str().unwrap()[14..16].to_owned()));
            assert!(seen.len() <= 6, "it comes to an end: {seen:?}");
            let Some(cursor) = page["next"].as_str() else { break };
            path = format!("/v1/deployments/p/ticks?limit={limit}&cursor={cursor}");
        }
        assert_eq!(seen, ["06", "05", "04", "03", "02", "01"], "{limit} a page");
    }
}

#[tokio::test]
async fn runs_by_hand_are_no_ticks() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "manual").await.ok();
    ana.post("/v1/deployments/p/runs", json!({})).await.ok();

    world.advance(minutes(2)).await;

    assert!(ana.ticks("p").await.is_empty());
    assert_eq!(ana.get("/v1/deployments/q/ticks").await.refused(404), "not_found");
    assert_eq!(ana.get("/v1/deployments/p/ticks?cursor=x").await.refused(400), "invalid_argument");
}

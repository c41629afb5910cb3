//! What a newer version wrote into a record stays there when this version writes the record back.

use crate::given::environments::{deployed, on_schedule};
use crate::given::rollouts::{begin, roll_out, rollout, shown};
use crate::given::tasks::caller;
use crate::given::{echo, queued, ran, run};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use tidemill_testing::{AttributeValue, TestPlane, minutes};

/// Records that are written back while they live.
const RECORDS: [&str; 6] = ["deployment#", "environment#", "run#", "task#", "group#", "rollout#"];

/// What a newer version might add to a record, of every kind that one may write.
fn of_a_newer_version() -> HashMap<String, AttributeValue> {
    let number = |text: &str| AttributeValue::N(text.to_owned());
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let nested = HashMap::from([
        ("text".to_owned(), text("é\u{0}")),
        ("large".to_owned(), number("18446744073709551615")),
        ("negative".to_owned(), number("-9223372036854775808")),
        ("fraction".to_owned(), number("0.25")),
        ("bytes".to_owned(), AttributeValue::B(vec![0, 255].into())),
        ("list".to_owned(), AttributeValue::L(vec![AttributeValue::Bool(true), AttributeValue::Null(true)])),
        ("map".to_owned(), AttributeValue::M(HashMap::from([("empty".to_owned(), text(""))]))),
    ]);
    HashMap::from([("breaker".to_owned(), AttributeValue::M(nested)), ("retained".to_owned(), number("30"))])
}

/// Adds that to every record, and gives how many there are of each kind.
async fn add_to_records(world: &TestPlane) -> BTreeMap<&'static str, usize> {
    let added = RefCell::new(BTreeMap::new());
    world
        .rewrite(|item| {
            let sort = item["sk"].as_s().unwrap().clone();
            if let Some(record) = RECORDS.into_iter().find(|record| sort.starts_with(record)) {
                item.extend(of_a_newer_version());
                *added.borrow_mut().entry(record).or_default() += 1;
            }
        })
        .await;
    added.into_inner()
}

/// How many records of each kind have it still.
async fn kept(world: &TestPlane) -> BTreeMap<&'static str, usize> {
    let kept = RefCell::new(BTreeMap::new());
    world
        .rewrite(|item| {
            let sort = item["sk"].as_s().unwrap().clone();
            let has_all = of_a_newer_version().iter().all(|(name, value)| item.get(name) == Some(value));
            if let (true, Some(record)) = (has_all, RECORDS.into_iter().find(|record| sort.starts_with(record))) {
                *kept.borrow_mut().entry(record).or_default() += 1;
            }
        })
        .await;
    kept.into_inner()
}

#[tokio::test]
async fn what_a_newer_version_wrote_survives_ticks_runs_tasks_environments_and_rollouts() {
    let world = TestPlane::new().await;
    let ana = on_schedule(&world, "* * * * *").await;
    let (task_caller, _) = caller(&world, "ana").await;
    ana.deploy(echo("q"), "* * * * *").await.ok();
    ana.deploy(echo("gone"), "0 0 * * *").await.ok();
    roll_out(&world, &ana, rollout("night", &["a", "b"], "x")).await;
    let open = task_caller.open_with(json!({"pipeline": echo("open"), "ttlSeconds": 0})).await.unwrap();
    let run_before = queued(&ana, "q").await;
    let rollout_before = begin(&ana, rollout("night", &["a"], "y")).await;
    let added = add_to_records(&world).await;
    assert_eq!(
        added.keys().copied().collect::<Vec<_>>(),
        ["deployment#", "environment#", "group#", "rollout#", "run#", "task#"]
    );

    // Each record is written back: by the end of its work, by a tick, and by its owner.
    world.settle().await;
    world.advance(minutes(2)).await;
    task_caller.send(&open.token, "hello").await.unwrap();
    task_caller.end(&open.token).await.unwrap();
    deployed(&ana, "staging", 2).await;
    ana.post("/v1/environments/staging/projects/p/rollback", Value::Null).await.ok();
    ana.patch("/v1/deployments/q", json!({"schedule": "*/5 * * * *"})).await.ok();
    ana.post("/v1/deployments/q/pause", json!({"note": "a while"})).await.ok();
    ana.post("/v1/deployments/q/resume", Value::Null).await.ok();
    ana.delete("/v1/deployments/gone").await.ok();
    ana.deploy(echo("gone"), "0 1 * * *").await.ok();

    assert_eq!(run(&ana, &run_before).await["state"], "succeeded");
    assert_eq!(shown(&ana, &rollout_before).await["state"], "succeeded");
    assert_eq!(ran(&world, &ana, "q").await["state"], "succeeded");
    assert_eq!(kept(&world).await, added, "a record lost what it held");
    assert_eq!(ana.post("/v1/doctor", Value::Null).await.ok()["findings"], json!([]));
}

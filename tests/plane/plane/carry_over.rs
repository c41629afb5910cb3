//! A table that version 0.1.0 wrote is carried over to the layout of today, and a newer one is refused.

use crate::given::environments::{scheduled, ticks};
use crate::given::rollouts::{roll_out, rollout};
use crate::given::tasks::caller;
use crate::given::{chain, echo};
use serde_json::{Value, json};
use std::collections::HashMap;
use tidemill_operations::key;
use tidemill_store::{LAYOUT, LayoutChange};
use tidemill_testing::{AttributeValue, TestPlane, User, minutes, pipeline};

/// The words of sort keys in partitions that begin so, and the letters that stood there in version 0.1.0.
const LETTERS: [(&str, &str, &str); 24] = [
    ("O#", "deployment#", "D#"),
    ("O#", "environment#", "E#"),
    ("O#", "notice#", "N#"),
    ("O#", "key#", "K#"),
    ("O#", "secret#", "S#"),
    ("O#", "idempotency#", "I#"),
    ("O#", "task#", "T#"),
    ("O#", "serving#", "W#"),
    ("O#", "group#", "G#"),
    ("O#", "member#", "M#"),
    ("O#", "rollout#", "R#"),
    ("R#", "resource#", ""),
    ("R#", "body#", "B#"),
    ("W#", "watcher#", "C#"),
    ("P#", "version#", "V#"),
    ("P#", "body#", "B#"),
    ("P#", "run#", "R#"),
    ("P#", "log#", "L#"),
    ("P#", "trace#", "X#"),
    ("P#", "checkpoint#", "C#"),
    ("P#", "tick#", "T#"),
    ("P#", "seen#", "S#"),
    ("P#", "audit#", "A#"),
    ("P#", "environment-audit#", "H#"),
];

/// Makes an item what version 0.1.0 would have written.
fn aged(item: &mut HashMap<String, AttributeValue>) {
    let (partition, sort) = (item["pk"].as_s().unwrap().clone(), item["sk"].as_s().unwrap().clone());
    for (of, word, letter) in LETTERS {
        if let (true, Some(rest)) = (partition.starts_with(of), sort.strip_prefix(word)) {
            item.insert("sk".into(), AttributeValue::S(format!("{letter}{rest}")));
        }
    }
    if let Some(Ok(names)) = item.get("project").map(AttributeValue::as_m) {
        let names = ["project", "environment", "source"].map(|name| names[name].as_s().unwrap().as_str());
        item.insert("project".into(), AttributeValue::S(names.join("\u{1}")));
    }
}

/// What an owner sees of everything that the table holds.
async fn seen(world: &TestPlane, user: &User) -> Vec<Value> {
    let mut seen = vec![json!(ticks(world, user).await)];
    for path in [
        "/v1/deployments",
        "/v1/deployments/q",
        "/v1/deployments/q/ticks",
        "/v1/deployments/q/versions",
        "/v1/runs",
        "/v1/secrets",
        "/v1/keys",
        "/v1/tasks",
        "/v1/groups",
        "/v1/groups/night",
        "/v1/rollouts",
    ] {
        seen.push(user.get(path).await.ok());
    }
    seen
}

#[tokio::test]
async fn a_table_of_the_first_version_is_carried_over_and_nothing_is_lost() {
    let world = TestPlane::new().await;
    let (task_caller, ana) = caller(&world, "ana").await;
    let mut dap = world.socket(&ana).await;
    ana.deploy(pipeline("q"), "* * * * *").await.ok();
    scheduled(&mut dap, "* * * * *").await;
    drop(dap);
    ana.put("/v1/secrets/TOKEN", json!({"value": "a token"})).await.ok();
    let _ = task_caller.open_with(json!({"pipeline": echo("open"), "ttlSeconds": 0})).await.unwrap();
    assert_eq!(roll_out(&world, &ana, rollout("night", &["a", "b"], "x")).await["state"], "succeeded");
    world.advance(minutes(3)).await;
    let before = seen(&world, &ana).await;

    world.rewrite(aged).await;
    let lost = ana.get("/v1/deployments").await.ok();
    let carried = world.plane.store.adopt_layout().await.unwrap();
    let again = world.plane.store.adopt_layout().await.unwrap();

    assert_eq!(lost["items"], json!([]), "the old keys are not today's");
    assert!(matches!(carried, LayoutChange::CarriedOver { items } if items > 20), "{carried:?}");
    assert_eq!(again, LayoutChange::None);
    assert_eq!(seen(&world, &ana).await, before);
    assert_eq!(ana.post("/v1/doctor", Value::Null).await.ok()["findings"], json!([]));
    world.advance(minutes(1)).await;
    assert_eq!(ticks(&world, &ana).await.last().map(String::as_str), Some("ran"), "a source's deployment goes on");
}

#[tokio::test]
async fn a_carry_over_that_was_cut_off_goes_on_at_the_next_start() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(chain("p", &[("timer", json!({}), "text"), ("log", json!({}), "")]), "* * * * *").await.ok();
    let before = ana.get("/v1/deployments").await.ok();
    // The runs and versions were carried over, the owner's items were not.
    world
        .rewrite(|item| {
            if item["pk"].as_s().unwrap().starts_with("O#") {
                aged(item)
            }
        })
        .await;

    let carried = world.plane.store.adopt_layout().await.unwrap();

    assert!(matches!(carried, LayoutChange::CarriedOver { .. }), "{carried:?}");
    assert_eq!(ana.get("/v1/deployments").await.ok(), before);
}

#[tokio::test]
async fn a_table_of_a_newer_version_is_refused() {
    let world = TestPlane::new().await;
    world.plane.store.adopt_layout().await.unwrap();
    world
        .rewrite(|item| {
            if item["pk"].as_s().unwrap() == "META" {
                item.insert("least_reader".into(), AttributeValue::N((LAYOUT + 1).to_string()));
            }
        })
        .await;

    let refused = world.plane.store.adopt_layout().await.unwrap();

    assert!(matches!(refused, LayoutChange::TooNew(layout) if layout.least_reader == LAYOUT + 1), "{refused:?}");
}

#[tokio::test]
async fn the_first_key_notes_the_layout_of_a_table_without_rows() {
    let world = TestPlane::new().await;
    assert_eq!(world.plane.store.layout().await.unwrap(), None);

    issue_key(&world).await;
    issue_key(&world).await;

    let layout = world.plane.store.layout().await.unwrap().expect("the table says its layout");
    assert_eq!(layout.number, LAYOUT);
    assert_eq!(world.plane.store.newer_layout().await.unwrap(), None);
}

#[tokio::test]
async fn the_layout_of_a_newer_version_is_noticed_and_stays() {
    let world = TestPlane::new().await;
    issue_key(&world).await;
    world
        .rewrite(|item| {
            if item["pk"].as_s().unwrap() == "META" {
                item.insert("least_reader".into(), AttributeValue::N((LAYOUT + 1).to_string()));
            }
        })
        .await;

    issue_key(&world).await;

    let layout = world.plane.store.newer_layout().await.unwrap().expect("it is of a newer version");
    assert_eq!(layout.least_reader, LAYOUT + 1);
}

/// Issues a key as the operator of a plane in the cloud does.
async fn issue_key(world: &TestPlane) {
    let input = serde_json::from_value(json!({"owner": "ana"})).unwrap();
    key::issue::run(&world.plane, input).await.unwrap();
}

//! What a run keeps that is too large for one item of the table.

use crate::given::{chain, copied, copy, lines, queued, run};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tidemill_testing::{Death, TestPlane, User, minutes, seconds};

/// Values of a body of a megabyte: `dedupe` saves several times with most of them still to come.
const MEGABYTE: u64 = 240;
/// Values of a body whose checkpoints are just too large.
const LARGE: u64 = 110;
/// Calls that such a run makes, at most.
const CALLS: usize = 80;

/// Remembers what a webhook is handed, and gives it back.
fn remembering() -> Value {
    let response = ("response", json!({"lanes": []}), "");
    let each = ("json", json!({"program": ".[]"}), "documents");
    chain("p", &[("webhook", json!({}), "documents"), each, ("dedupe", json!({}), "documents"), response])
}

/// Text that cannot be compressed by much.
fn noise(seed: u64) -> String {
    let digits = (0..250_u64).map(|number| (number + 1 + seed * 250).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    digits.map(|number| format!("{number:x}")).collect()
}

/// Sends a body of some values to ana's hook, and gives the id of the run that it waits for.
async fn sent(world: &TestPlane, values: u64) -> (User, String) {
    let ana = world.user("ana").await;
    let hook = ana.deploy(remembering(), "manual").await.ok()["hook"].as_str().unwrap().to_owned();
    let answer = world.anonymous().post(&hook, json!((0..values).map(noise).collect::<Vec<_>>())).await.ok();
    (ana, answer["id"].as_str().unwrap().to_owned())
}

/// The checkpoints that are stored in chunks, by their names.
async fn stored_checkpoints(world: &TestPlane) -> BTreeSet<String> {
    let places = world.places().await.into_iter().map(|(_, sort)| sort);
    let chunks = places.filter(|sort| sort.starts_with("checkpoint-body#"));
    chunks.map(|sort| sort.rsplit_once('#').unwrap().0.to_owned()).collect()
}

#[tokio::test]
async fn a_webhook_of_a_megabyte_into_dedupe_comes_through() {
    let world = TestPlane::new().await;
    let (ana, id) = sent(&world, MEGABYTE).await;

    world.settle().await;

    let ended = run(&ana, &id).await;
    assert_eq!((&ended["state"], &ended["error"]), (&json!("succeeded"), &Value::Null));
    assert_eq!(ended["result"]["documents"].as_array().map(Vec::len), Some(MEGABYTE as usize));
    assert!(stored_checkpoints(&world).await.is_empty(), "none is kept once it has ended");
}

#[tokio::test]
async fn a_large_checkpoint_survives_every_death_and_none_piles_up() {
    let mut had_one = false;
    for call in (0..CALLS).flat_map(|call| [Death::Before(call), Death::After(call)]) {
        let world = TestPlane::new().await;
        let (ana, id) = sent(&world, LARGE).await;
        world.faults.die(Some(call));
        world.settle().await;
        let is_dead = world.faults.is_dead();
        let stored = stored_checkpoints(&world).await;
        had_one |= !stored.is_empty();
        assert!(stored.len() <= 2, "{call:?}: the last one, and that which is replaced or on its way: {stored:?}");

        let world = world.restarted().await;
        world.advance(seconds(35)).await;

        let ended = run(&ana.at(&world.plane), &id).await;
        assert_eq!(ended["state"], "succeeded", "{call:?}: {}", ended["error"]);
        assert_eq!(ended["result"]["documents"].as_array().map(Vec::len), Some(LARGE as usize), "{call:?}");
        assert!(stored_checkpoints(&world).await.len() <= 1, "{call:?}: what the death left behind, until it expires");
        if !is_dead {
            assert!(had_one, "no death comes upon a stored checkpoint");
            return;
        }
    }
    panic!("the run makes more than {CALLS} calls");
}

/// What the table answers when a transaction holds too large an item.
fn too_large() -> Value {
    json!({
        "__type": "com.amazonaws.dynamodb.v20120810#ValidationException",
        "message": "Item size has exceeded the maximum allowed size",
    })
}

#[tokio::test]
async fn what_is_too_large_for_the_table_ends_its_run_and_not_its_bell() {
    // The first transaction saves a step; a run of few lines has no such step, and its first one ends it.
    for (count, copied_at_least) in [(300, 50), (3, 3)] {
        let world = TestPlane::new().await;
        let ana = world.user("ana").await;
        lines(&world, count);
        ana.deploy(copy("p"), "manual").await.ok();
        let id = queued(&ana, "p").await;
        let hold = world.faults.hold("TransactWriteItems", 0);
        let refuse = async {
            hold.arrived().await;
            world.faults.refuse("TransactWriteItems", 1, too_large());
            hold.release();
        };
        futures::join!(world.settle(), refuse);

        let ended = run(&ana, &id).await;
        assert_eq!((&ended["state"], &ended["attempt"]), (&json!("failed"), &json!(1)), "{ended}");
        let message = ended["error"]["message"].as_str().unwrap();
        assert!(message.contains("too large to be saved") && message.contains("400 KB"), "{message}");
        assert!(ended["error"]["hint"].as_str().unwrap().contains("take less at once"), "{ended}");
        assert!(copied(&world).len() >= copied_at_least);
        let next = queued(&ana, "p").await;
        world.advance(minutes(1)).await;
        assert!(run(&ana, &next).await["state"] != "queued", "the project is not blocked");
    }
}

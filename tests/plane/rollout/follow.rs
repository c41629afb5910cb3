//! A rollout while it goes on, as a stream of events.

use crate::given::rollouts::{begin, roll_out, rollout};
use serde_json::{Value, json};
use tidemill_testing::{Event, TestPlane};

fn names(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.name.as_str()).collect()
}

/// The logical ids of the resources that were sent, with the events' ids.
fn resources(events: &[Event]) -> Vec<(u64, &str)> {
    let events = events.iter().filter(|event| event.name == "resource");
    events
        .map(|event| (event.id.expect("it has an id"), event.data["logicalId"].as_str().expect("it is text")))
        .collect()
}

fn events(id: &str) -> String {
    format!("/v1/rollouts/{id}/events")
}

#[tokio::test]
async fn a_rollout_is_followed_from_where_it_is_to_its_end() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let id = begin(&ana, rollout("night", &["a", "b", "c"], "old")).await;

    let mut following = ana.follow(&events(&id), &[]).await;
    let first = following.next().await.unwrap();
    world.settle().await;
    let rest = following.rest().await;

    assert_eq!(
        (first.name.as_str(), &first.data["state"], &first.data["progress"]),
        ("progress", &json!("pending"), &json!(0))
    );
    assert_eq!(resources(&rest), [(1, "a"), (2, "b"), (3, "c")]);
    let last = rest.last().unwrap();
    assert_eq!(
        (last.name.as_str(), &last.data["state"], &last.data["id"]),
        ("complete", &json!("succeeded"), &json!(id))
    );
    let percentages: Vec<_> = rest.iter().filter_map(|event| event.data["progress"].as_u64()).collect();
    assert!(percentages.is_sorted(), "{percentages:?}");
}

#[tokio::test]
async fn an_ended_rollout_is_sent_at_once() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let done = roll_out(&world, &ana, rollout("night", &["a"], "old")).await;

    let events = ana.follow(&events(done["id"].as_str().unwrap()), &[]).await.rest().await;

    assert_eq!(names(&events), ["progress", "resource", "complete"]);
}

#[tokio::test]
async fn a_follower_that_reconnects_receives_the_rest_of_the_resources() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let done = roll_out(&world, &ana, rollout("night", &["a", "b", "c"], "old")).await;
    let path = events(done["id"].as_str().unwrap());

    for (seen, rest) in [
        ("0", &[(1, "a"), (2, "b"), (3, "c")][..]),
        ("2", &[(3, "c")]),
        ("3", &[]),
        ("99", &[]),
        ("x", &[(1, "a"), (2, "b"), (3, "c")]),
    ] {
        let events = ana.follow(&path, &[("last-event-id", seen)]).await.rest().await;

        assert_eq!(resources(&events), rest, "after {seen}");
        assert_eq!(
            (events.first().unwrap().name.as_str(), events.last().unwrap().name.as_str()),
            ("progress", "complete")
        );
    }
}

#[tokio::test]
async fn any_process_sends_the_same() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let id = begin(&ana, rollout("night", &["a", "b"], "old")).await;
    let other = world.beside();

    let mut following = ana.at(&other.plane).follow(&events(&id), &[]).await;
    let first = following.next().await.unwrap();
    world.settle().await;
    let rest = following.rest().await;

    assert_eq!(first.data["state"], "pending");
    assert_eq!(resources(&rest), [(1, "a"), (2, "b")]);
    assert_eq!(rest.last().unwrap().name, "complete");
}

#[tokio::test]
async fn all_followers_receive_the_end() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let id = begin(&ana, rollout("night", &["a"], "old")).await;
    let mut followers = Vec::new();
    for _ in 0..50 {
        followers.push(ana.follow(&events(&id), &[]).await);
    }

    world.settle().await;

    for follower in followers {
        assert_eq!(follower.rest().await.last().unwrap().name, "complete");
    }
}

#[tokio::test]
async fn only_its_owners_keys_with_the_scope_follow_a_rollout() {
    let world = TestPlane::new().await;
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let id = begin(&ana, rollout("night", &["a"], "old")).await;

    assert_eq!(ben.get(&events(&id)).await.refused(404), "not_found");
    assert_eq!(ana.get(&events("01KAFZ7Q3M8T5V2N9R4C6W1XDB")).await.refused(404), "not_found");
    assert_eq!(world.anonymous().get(&events(&id)).await.refused(401), "unauthenticated");
    let sender = world.user_with("ana", &[tidemill_model::key::Scope::Data]).await;
    assert_eq!(sender.get(&events(&id)).await.refused(403), "permission_denied");
    assert_eq!(ana.get(&format!("{}?x=1", events(&id))).await.refused(400), "invalid_argument");
}

#[tokio::test]
async fn a_cancelled_rollout_is_shown_as_cancelled() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let id = begin(&ana, rollout("night", &["a", "b"], "old")).await;
    let following = ana.follow(&events(&id), &[]).await;

    ana.post(&format!("/v1/rollouts/{id}/cancel"), Value::Null).await.ok();
    world.settle().await;
    let events = following.rest().await;

    assert_eq!(events.last().unwrap().data["state"], "cancelled");
    let outcomes: Vec<_> = events.iter().filter_map(|event| event.data["outcome"].as_str()).collect();
    assert_eq!(outcomes, ["not_reached", "not_reached"]);
}

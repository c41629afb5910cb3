//! Cancelling rollouts: what is live stays, the rest is left as it was.

use crate::given::rollouts::{begin, did, findings, live, roll_out, rollout, shown};
use serde_json::{Value, json};
use tidemill_operations::bell::QueueKind;
use tidemill_testing::{Death, TestPlane};

#[tokio::test]
async fn one_that_waits_ends_without_having_changed_anything() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let id = begin(&ana, rollout("night", &["a"], "x")).await;

    let asked = ana.post(&format!("/v1/rollouts/{id}/cancel"), Value::Null).await.ok();
    assert_eq!(asked["state"], "pending", "its worker ends it");
    world.settle().await;

    let ended = shown(&ana, &id).await;
    assert_eq!((&ended["state"], did(&ended)), (&json!("cancelled"), vec!["- a not_reached".to_owned()]));
    assert_eq!(live(&ana, "a").await, None);
    assert_eq!(roll_out(&world, &ana, rollout("night", &["a"], "x")).await["state"], "succeeded");
}

#[tokio::test]
async fn asking_again_and_asking_one_that_has_ended_changes_nothing() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let id = begin(&ana, rollout("night", &["a"], "x")).await;
    let path = format!("/v1/rollouts/{id}/cancel");
    let cancel = || ana.post(&path, Value::Null);

    let first = cancel().await.ok();
    let second = cancel().await.ok();
    world.settle().await;
    let third = cancel().await.ok();

    assert_eq!(first["cancelRequestedAt"], second["cancelRequestedAt"]);
    assert_eq!((&third["state"], &third["cancelRequestedAt"]), (&json!("cancelled"), &first["cancelRequestedAt"]));
    let done = roll_out(&world, &ana, rollout("night", &["a"], "x")).await;
    let late = ana.post(&format!("/v1/rollouts/{}/cancel", done["id"].as_str().unwrap()), Value::Null).await.ok();
    assert_eq!((&late["state"], &late["cancelRequestedAt"]), (&json!("succeeded"), &Value::Null));
}

#[tokio::test]
async fn one_that_goes_on_ends_after_the_resources_in_hand() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let projects: Vec<String> = (0..20).map(|i| format!("p{i:02}")).collect();
    let names: Vec<&str> = projects.iter().map(String::as_str).collect();
    let id = begin(&ana, rollout("night", &names, "x")).await;
    // Its worker dies amid the first resources; the request comes before the next one goes on.
    world.faults.die(Some(Death::After(25)));
    world.answer(QueueKind::Rollouts).await;
    assert!(world.faults.is_dead());
    world.faults.die(None);
    ana.post(&format!("/v1/rollouts/{id}/cancel"), Value::Null).await.ok();
    let world = world.restarted().await;
    let ana = ana.at(&world.plane);

    world.settle().await;

    let ended = shown(&ana, &id).await;
    assert_eq!(ended["state"], "cancelled");
    let outcomes = did(&ended);
    assert_eq!(outcomes.len(), 20);
    for (project, outcome) in names.iter().zip(&outcomes) {
        let expected = if outcome.ends_with("applied") { Some(1) } else { None };
        assert_eq!(live(&ana, project).await, expected, "{outcome}");
    }
    assert!(outcomes.last().unwrap().ends_with("not_reached"));
    assert_eq!(findings(&ana).await, json!([]));
}

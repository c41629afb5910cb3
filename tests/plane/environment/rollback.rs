//! Rolling an environment back.

use crate::given::environments::{at, deployed, once, with_versions};
use http::Method;
use serde_json::{Value, json};
use tidemill_testing::{TestPlane, minutes, seconds};

fn rollback() -> String {
    format!("{}/rollback", at("staging"))
}

#[tokio::test]
async fn each_rollback_goes_further_back_until_nothing_is_earlier() {
    let world = TestPlane::new().await;
    let ana = with_versions(&world, 3).await;
    for version in [1, 3, 2] {
        deployed(&ana, "staging", version).await;
    }

    let back = async || ana.post(&rollback(), json!({})).await;
    let first = back().await.ok();
    let second = back().await.ok();
    let third = back().await;

    assert_eq!((&first["version"], &first["fromVersion"]), (&json!(3), &json!(2)));
    assert_eq!((&second["version"], &second["fromVersion"]), (&json!(1), &json!(3)));
    let message = third.body["message"].as_str().unwrap();
    assert_eq!(message, "no earlier version of project `p` was live in environment `staging`");
    assert_eq!(third.refused(409), "failed_precondition");
    assert_eq!(ana.get(&at("staging")).await.ok()["version"], 1);
}

#[tokio::test]
async fn a_rollback_can_name_the_version() {
    let world = TestPlane::new().await;
    let ana = with_versions(&world, 4).await;
    for version in 1..=4 {
        deployed(&ana, "staging", version).await;
    }

    let named = ana.post(&rollback(), json!({"version": 2})).await.ok();
    assert_eq!((&named["version"], &named["fromVersion"]), (&json!(2), &json!(4)));
    let live = ana.post(&rollback(), json!({"version": 2})).await;
    assert_eq!(live.refused(409), "failed_precondition");
    let missing = ana.post(&rollback(), json!({"version": 5})).await;
    assert_eq!(missing.refused(404), "not_found");
    assert_eq!(ana.get(&at("staging")).await.ok()["version"], 2);

    let before = ana.post(&rollback(), json!({})).await.ok();
    assert_eq!(before["version"], 1, "the versions that were live after 2 are passed over");
}

#[tokio::test]
async fn where_nothing_is_live_nothing_is_rolled_back() {
    let world = TestPlane::new().await;
    let ana = with_versions(&world, 2).await;
    assert_eq!(ana.post(&rollback(), json!({})).await.refused(404), "not_found");
    deployed(&ana, "staging", 1).await;
    deployed(&ana, "staging", 2).await;

    ana.delete(&at("staging")).await.ok();

    assert_eq!(ana.post(&rollback(), json!({})).await.refused(404), "not_found");
}

#[tokio::test]
async fn a_disabled_environment_that_is_rolled_back_stays_disabled() {
    let world = TestPlane::new().await;
    let ana = with_versions(&world, 2).await;
    deployed(&ana, "staging", 1).await;
    deployed(&ana, "staging", 2).await;
    ana.post(&format!("{}/disable", at("staging")), Value::Null).await.ok();

    let back = ana.post(&rollback(), json!({})).await.ok();

    assert_eq!((&back["version"], &back["state"]), (&json!(1), &json!("disabled")));
}

#[tokio::test]
async fn a_rollback_that_expects_another_revision_is_refused() {
    let world = TestPlane::new().await;
    let ana = with_versions(&world, 2).await;
    deployed(&ana, "staging", 1).await;
    deployed(&ana, "staging", 2).await;

    assert_eq!(ana.post(&rollback(), json!({"revision": 1})).await.refused(409), "conflict");
    ana.post(&rollback(), json!({"revision": 2})).await.ok();

    assert_eq!(ana.get(&at("staging")).await.ok()["version"], 1);
}

#[tokio::test]
async fn a_retried_rollback_goes_back_once() {
    let world = TestPlane::new().await;
    let ana = with_versions(&world, 3).await;
    for version in 1..=3 {
        deployed(&ana, "staging", version).await;
    }
    let send = async || once(&ana, Method::POST, &rollback(), json!({})).await.ok();

    let first = send().await;
    world.sleep(minutes(1));
    let (second, third) = futures::join!(send(), send());

    assert_eq!((&second, &third), (&first, &first));
    assert_eq!(ana.get(&at("staging")).await.ok()["version"], 2);
}

#[tokio::test]
async fn rollbacks_at_once_under_one_key_are_one() {
    let world = TestPlane::new().await;
    let ana = with_versions(&world, 4).await;
    for version in 1..=4 {
        deployed(&ana, "staging", version).await;
        world.sleep(seconds(1));
    }

    let path = rollback();
    let answers = futures::future::join_all((0..5).map(|_| once(&ana, Method::POST, &path, json!({})))).await;

    let versions: Vec<Value> = answers.into_iter().map(|answer| answer.ok()["version"].clone()).collect();
    assert_eq!(versions, vec![json!(3); 5]);
    assert_eq!(ana.get(&at("staging")).await.ok()["version"], 3);
}

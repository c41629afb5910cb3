//! Changing a deployment.

use futures::future::join_all;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tidemill_testing::{TestPlane, minutes, pipeline, seconds};

fn named(project: &str, name: &str) -> Value {
    let mut changed = pipeline(project);
    changed["name"] = name.into();
    changed
}

#[tokio::test]
async fn what_is_absent_stays_as_it_is() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "@hourly").await.ok();

    ana.patch("/v1/deployments/p", json!({"pipeline": named("p", "new")})).await.ok();
    ana.patch("/v1/deployments/p", json!({"timeoutSeconds": 7})).await.ok();

    let shown = ana.get("/v1/deployments/p").await.ok();
    assert_eq!(shown["schedule"], "@hourly");
    assert_eq!(shown["pipeline"]["name"], "new");
    assert_eq!(shown["timeoutSeconds"], 7);
    assert_eq!(shown["version"], 2);
}

#[tokio::test]
async fn null_is_not_absent() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "@hourly").await.ok();

    assert_eq!(ana.patch("/v1/deployments/p", json!({"schedule": null})).await.refused(400), "invalid_argument");
    assert_eq!(ana.get("/v1/deployments/p").await.ok()["schedule"], "@hourly");
}

#[tokio::test]
async fn an_update_that_changes_nothing_makes_no_version() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "manual").await.ok();

    let updated = ana.patch("/v1/deployments/p", json!({"pipeline": pipeline("p")})).await.ok();

    assert_eq!(updated["version"], 1);
}

#[tokio::test]
async fn an_update_that_was_overtaken_is_later_than_the_one_that_overtook_it() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "manual").await.ok();

    let hold = world.faults.hold("TransactWriteItems", 0);
    let slow = ana.patch("/v1/deployments/p", json!({"pipeline": named("p", "slow")}));
    let overtakes = async {
        hold.arrived().await;
        world.sleep(seconds(5));
        let fast = ana.patch("/v1/deployments/p", json!({"pipeline": named("p", "fast")})).await.ok();
        hold.release();
        fast
    };
    let (slow, fast) = futures::join!(slow, overtakes);

    let slow = slow.ok();
    assert_eq!((&fast["version"], &slow["version"]), (&json!(2), &json!(3)));
    assert_eq!(slow["updatedAt"], fast["updatedAt"]);
    let versions = ana.get("/v1/deployments/p/versions").await.ok();
    assert_eq!(versions["items"][0]["createdAt"], versions["items"][1]["createdAt"]);
}

#[tokio::test]
async fn of_updates_that_race_none_is_lost_and_versions_have_no_gap() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "manual").await.ok();

    let pipelines = (0..20).map(|n| json!({"pipeline": named("p", &format!("n{n}"))}));
    let settings = [json!({"timeoutSeconds": 11}), json!({"maxAttempts": 5}), json!({"schedule": "@daily"})];
    let answers = join_all(pipelines.chain(settings).map(|change| ana.patch("/v1/deployments/p", change))).await;

    assert!(answers.iter().all(|answer| answer.status == 200));
    let shown = ana.get("/v1/deployments/p").await.ok();
    assert_eq!(
        (&shown["timeoutSeconds"], &shown["maxAttempts"], &shown["schedule"], &shown["version"]),
        (&json!(11), &json!(5), &json!("@daily"), &json!(21))
    );
    let versions = ana.get("/v1/deployments/p/versions?limit=100").await.ok();
    let numbers: Vec<_> =
        versions["items"].as_array().unwrap().iter().map(|v| v["version"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=21).rev().collect::<Vec<_>>());
    let hashes: BTreeSet<_> = versions["items"].as_array().unwrap().iter().map(|v| v["sha256"].to_string()).collect();
    assert_eq!(hashes.len(), 21);
}

#[tokio::test]
async fn an_update_never_brings_a_removed_deployment_back() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    for round in 0..10 {
        let project = format!("p{round}");
        let path = format!("/v1/deployments/{project}");
        ana.deploy(pipeline(&project), "* * * * *").await.ok();

        let updates = (0..5).map(|n| ana.patch(&path, json!({"pipeline": named(&project, &format!("n{n}"))})));
        let (removed, _) = futures::join!(ana.delete(&path), join_all(updates));

        removed.ok();
        assert_eq!(ana.get(&path).await.refused(404), "not_found");
        assert_eq!(ana.patch(&path, json!({"schedule": "manual"})).await.refused(404), "not_found");
    }
    world.advance(minutes(3)).await;
    assert_eq!(ana.get("/v1/runs").await.ok()["items"], json!([]));
}

#[tokio::test]
async fn a_revision_that_is_expected_guards_the_update() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let revision = ana.deploy(pipeline("p"), "manual").await.ok()["revision"].clone();
    ana.patch("/v1/deployments/p", json!({"schedule": "@daily", "revision": revision})).await.ok();

    let stale = ana.patch("/v1/deployments/p", json!({"schedule": "@hourly", "revision": revision})).await;

    assert_eq!(stale.refused(409), "conflict");
    assert_eq!(ana.get("/v1/deployments/p").await.ok()["schedule"], "@daily");
}

#[tokio::test]
async fn a_retry_with_the_same_idempotency_key_makes_no_second_version() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "manual").await.ok();
    let headers = [("content-type", "application/json"), ("idempotency-key", "u-1")];
    let update = |name: &str| {
        let body = json!({"pipeline": named("p", name)}).to_string();
        ana.send(http::Method::PATCH, "/v1/deployments/p", &headers, body.into_bytes())
    };

    let first = update("one").await.ok();
    ana.patch("/v1/deployments/p", json!({"pipeline": named("p", "between")})).await.ok();
    let retried = update("one").await.ok();

    assert_eq!(first, retried);
    assert_eq!(ana.get("/v1/deployments/p").await.ok()["pipeline"]["name"], "between");
    assert_eq!(update("two").await.refused(409), "conflict");
}

#[tokio::test]
async fn an_edit_replays_no_past_tick_and_drops_no_coming_one() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "*/5 * * * *").await.ok();
    world.advance(minutes(6)).await;

    ana.patch("/v1/deployments/p", json!({"schedule": "*/2 * * * *"})).await.ok();
    world.advance(minutes(4)).await;

    let list = ana.get("/v1/deployments/p/ticks").await.ok();
    let at: Vec<_> =
        list["items"].as_array().unwrap().iter().rev().map(|tick| tick["at"].as_str().unwrap().to_owned()).collect();
    assert_eq!(at, ["2026-03-02T10:05:00Z", "2026-03-02T10:08:00Z", "2026-03-02T10:10:00Z"]);
}

#[tokio::test]
async fn a_tick_that_has_just_become_due_as_an_update_comes_runs_what_was_live_then() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "* * * * *").await.ok();
    // The minute passes, its bell is on the way, and the update comes first.
    world.sleep(minutes(1));

    let body = json!({"schedule": "@yearly", "pipeline": named("p", "new")});
    ana.patch("/v1/deployments/p", body).await.ok();
    assert_eq!(ana.ticks("p").await, ["ran"]);
    world.settle().await;

    let runs = ana.runs("p").await;
    assert_eq!(runs.len(), 1, "{runs:?}");
    assert_eq!((&runs[0]["version"], &runs[0]["state"]), (&json!(1), &json!("succeeded")));
}

#[tokio::test]
async fn a_tick_whose_bell_was_lost_is_not_taken_under_another_definition() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "@hourly").await.ok();
    world.sleep(minutes(62));

    ana.patch("/v1/deployments/p", json!({"schedule": "@yearly"})).await.ok();
    world.settle().await;

    assert_eq!(ana.ticks("p").await, ["skipped(changed)"]);
    assert_eq!(ana.runs("p").await.len(), 0);
}

#[tokio::test]
async fn a_deploy_of_the_same_pipeline_takes_over_the_key_and_brings_back_what_the_plane_stopped() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let other = world.user("ana").await;
    ana.deploy(pipeline("p"), "* * * * *").await.ok();
    other.delete(&format!("/v1/keys/{}", ana.key_id)).await.ok();
    world.advance(minutes(1)).await;
    assert_eq!(other.get("/v1/deployments/p").await.ok()["state"], "errored");

    let timed = other.patch("/v1/deployments/p", json!({"timeoutSeconds": 7})).await.ok();
    let deployed = other.patch("/v1/deployments/p", json!({"pipeline": pipeline("p")})).await.ok();
    world.advance(minutes(1)).await;

    assert_eq!((&timed["state"], &deployed["state"]), (&json!("errored"), &json!("active")));
    assert_eq!(deployed["version"], 1, "the pipeline is the same");
    assert_eq!(other.ticks("p").await, ["skipped(errored)", "ran"]);
}

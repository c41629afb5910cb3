//! One deployment of a project at a time: the second caller learns which one to wait for, and no answer makes a client
//! poll for nothing.

use crate::given::checkly::{begin, deploy, deployment, envelope, many, post, project, refused};
use crate::given::echo;
use serde_json::{Value, json};
use tidemill_testing::TestPlane;

const DEPLOY: &str = "dryRun=false&scheduleOnDeploy=true";

#[tokio::test]
async fn a_second_deployment_is_refused_with_the_id_of_the_first() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let sent = envelope("etl", [("one", echo("p-1"))]);
    let first = begin(&ana, &sent).await;

    let second = post(&ana, DEPLOY, &sent).await;
    let destroyed = ana.delete(&format!("{}?preserveResources=false&dryRun=false", project("etl"))).await;
    let elsewhere = post(&ana, DEPLOY, &envelope("other", [("one", echo("p-9"))])).await;

    for refusal in [second, destroyed] {
        refused(&refusal, 409);
        assert_eq!(refusal.body["deploymentId"], json!(first));
        assert_eq!(refusal.body["error"], "Conflict");
    }
    assert_eq!(elsewhere.status, 202);
}

#[tokio::test]
async fn the_next_deployment_is_taken_once_the_last_one_is_shown_as_final() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let sent = envelope("etl", [("one", echo("p-1"))]);
    let first = begin(&ana, &sent).await;
    let completion = format!("{}/completion", deployment("etl", &first));

    let running = ana.get(&format!("{completion}?maxWaitSeconds=0")).await;
    world.settle().await;
    let done = ana.get(&format!("{completion}?maxWaitSeconds=30")).await.ok();

    refused(&running, 408);
    assert_eq!(done["status"], "SUCCEEDED");
    assert_eq!(post(&ana, DEPLOY, &sent).await.status, 202);
}

#[tokio::test]
async fn a_cancelled_deployment_goes_on_until_it_has_stopped() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let id = begin(&ana, &many("etl", 40)).await;
    let cancel = format!("{}/cancel", deployment("etl", &id));

    let asked = ana.post(&cancel, Value::Null).await.ok();
    let again = ana.post(&cancel, Value::Null).await.ok();
    world.settle().await;
    let cancelled = ana.get(&deployment("etl", &id)).await.ok();
    let afterwards = ana.post(&cancel, Value::Null).await.ok();

    assert!(asked["cancelRequestedAt"].is_string(), "{asked}");
    assert_eq!(again["cancelRequestedAt"], asked["cancelRequestedAt"]);
    assert_eq!((&cancelled["status"], &cancelled["result"]), (&json!("CANCELLED"), &json!(null)));
    assert_eq!(afterwards["status"], "CANCELLED");
    assert_eq!(post(&ana, DEPLOY, &many("etl", 1)).await.status, 202);
}

#[tokio::test]
async fn a_succeeded_deployment_cannot_be_cancelled_and_the_answer_says_so() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let done = deploy(&world, &ana, &envelope("etl", [("one", echo("p-1"))])).await;

    let asked =
        ana.post(&format!("{}/cancel", deployment("etl", done["id"].as_str().unwrap())), Value::Null).await.ok();

    assert_eq!((&asked["status"], &asked["cancelRequestedAt"]), (&json!("SUCCEEDED"), &json!(null)));
}

#[tokio::test]
async fn a_deployment_is_found_in_its_own_project_by_its_owner_alone() {
    let world = TestPlane::new().await;
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let id = begin(&ana, &envelope("etl", [("one", echo("p-1"))])).await;
    let nobodys = "01KAFZ7Q3M8T5V2N9R4C6W1XDB";

    for (user, project, id) in
        [(&ben, "etl", id.as_str()), (&ana, "other", &id), (&ana, "etl", nobodys), (&ana, "etl", "7")]
    {
        let path = deployment(project, id);
        for suffix in ["", "/completion?maxWaitSeconds=0", "/events"] {
            refused(&user.get(&format!("{path}{suffix}")).await, 404);
        }
        refused(&user.post(&format!("{path}/cancel"), Value::Null).await, 404);
    }
}

#[tokio::test]
async fn a_project_is_destroyed_by_a_deployment_of_its_own() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    deploy(&world, &ana, &envelope("etl", [("one", echo("p-1"))])).await;
    let path = format!("{}?preserveResources=false&dryRun=false", project("etl"));

    let begun = ana.delete(&path).await;
    world.settle().await;
    let done = ana.get(&deployment("etl", begun.body["id"].as_str().unwrap())).await.ok();
    let again = ana.delete(&path).await;

    assert_eq!((begun.status.as_u16(), &done["status"]), (202, &json!("SUCCEEDED")));
    assert_eq!(done["result"], json!(null));
    ana.get("/v1/deployments/p-1").await.refused(404);
    assert_eq!((again.status.as_u16(), again.body), (200, json!({"diff": []})));
}

#[tokio::test]
async fn what_a_destroyed_project_is_to_keep_stays() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    deploy(&world, &ana, &envelope("etl", [("one", echo("p-1"))])).await;

    ana.delete(&format!("{}?preserveResources=true&dryRun=false", project("etl"))).await.ok();
    world.settle().await;

    assert_eq!(ana.get("/v1/deployments/p-1").await.ok()["state"], "active");
    refused(&ana.get(&project("etl").replace("/v1", "/next")).await, 404);
}

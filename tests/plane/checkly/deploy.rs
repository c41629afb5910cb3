//! A deploy by Checkly's clients: what is sent, what becomes of it, and what is refused at once.

use crate::given::checkly::{
    begin, deploy, deployment, diff, envelope, many, post, preview, project, refused, resource,
};
use crate::given::{broken, chain, echo};
use http::Method;
use serde_json::json;
use tidemill_testing::{TestPlane, pipeline};

#[tokio::test]
async fn the_pipelines_of_a_project_are_live_when_its_deployment_has_succeeded() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let sent = envelope("team/etl#1", [("one", echo("p-1")), ("two", echo("p-2"))]);

    let begun = post(&ana, "dryRun=false&scheduleOnDeploy=true", &sent).await;
    world.settle().await;
    let deployed = ana.get(&deployment("team/etl#1", begun.body["id"].as_str().unwrap())).await.ok();

    assert_eq!(begun.status, 202);
    assert_eq!((&begun.body["logicalId"], &begun.body["dryRun"]), (&json!("team/etl#1"), &json!(false)));
    assert!(["PENDING", "RUNNING"].contains(&begun.body["status"].as_str().unwrap()), "{}", begun.body);
    assert_eq!((&deployed["status"], &deployed["progress"]), (&json!("SUCCEEDED"), &json!(100)));
    assert_eq!(diff(&deployed["result"]), ["one pipeline CREATE", "two pipeline CREATE"]);
    let shown = &deployed["result"]["project"];
    assert_eq!((&shown["logicalId"], &shown["name"]), (&json!("team/etl#1"), &json!("Demo")));
    for live in ["p-1", "p-2"] {
        assert_eq!(ana.get(&format!("/v1/deployments/{live}")).await.ok()["state"], "active");
    }
}

#[tokio::test]
async fn a_resource_keeps_the_type_that_it_was_sent_with() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let mut sent = envelope("etl", [("one", echo("p-1"))]);
    let check = json!({"logicalId": "two", "type": "check", "member": true,
        "payload": {"checkType": "PIPELINE", "name": "Two", "pipeline": echo("p-2")}});
    sent["resources"].as_array_mut().unwrap().push(check);

    let first = deploy(&world, &ana, &sent).await;
    sent["resources"] = json!([]);
    let second = deploy(&world, &ana, &sent).await;

    assert_eq!(diff(&first["result"]), ["one pipeline CREATE", "two check CREATE"]);
    // A client that has nothing of a type does not know it.
    assert_eq!(diff(&second["result"]), ["one check DELETE", "two check DELETE"]);
}

#[tokio::test]
async fn what_a_project_does_not_name_any_more_is_removed() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    deploy(&world, &ana, &envelope("etl", [("one", echo("p-1")), ("two", echo("p-2"))])).await;

    let next = envelope("etl", [("two", pipeline("p-2")), ("three", echo("p-3"))]);
    let shown = preview(&ana, &next).await;
    let deployed = deploy(&world, &ana, &next).await;

    assert_eq!(diff(&shown), ["one pipeline DELETE", "three pipeline CREATE", "two pipeline UPDATE"]);
    assert_eq!(diff(&deployed["result"]), diff(&shown));
    ana.get("/v1/deployments/p-1").await.refused(404);
    assert_eq!(ana.get("/v1/deployments/p-2").await.ok()["version"], 2);
}

#[tokio::test]
async fn what_is_as_it_was_counts_as_an_update_and_stays() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let sent = envelope("etl", [("one", echo("p-1"))]);
    deploy(&world, &ana, &sent).await;

    let again = deploy(&world, &ana, &sent).await;

    assert_eq!(diff(&again["result"]), ["one pipeline UPDATE"]);
    assert_eq!(ana.get("/v1/deployments/p-1").await.ok()["version"], 1);
}

#[tokio::test]
async fn what_a_project_loses_is_kept_if_that_is_asked_for() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    deploy(&world, &ana, &envelope("etl", [("one", echo("p-1"))])).await;

    let query = "dryRun=false&scheduleOnDeploy=true&preserveResources=true";
    let begun = post(&ana, query, &envelope("etl", [])).await.ok();
    world.settle().await;
    let deployed = ana.get(&deployment("etl", begun["id"].as_str().unwrap())).await.ok();

    // A client that has nothing of a type does not know it.
    assert_eq!(diff(&deployed["result"]), ["one check DETACHED"]);
    assert_eq!(ana.get("/v1/deployments/p-1").await.ok()["state"], "active");
    assert_eq!(diff(&preview(&ana, &envelope("etl", [])).await), [""; 0]);
}

#[tokio::test]
async fn a_dry_run_changes_nothing_and_works_while_a_deployment_runs() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let sent = envelope("etl", [("one", echo("p-1"))]);

    let before = preview(&ana, &sent).await;
    let id = begin(&ana, &sent).await;
    let meanwhile = preview(&ana, &sent).await;

    assert_eq!(diff(&before), ["one pipeline CREATE"]);
    assert_eq!(diff(&meanwhile), ["one pipeline CREATE"]);
    assert!(before.get("status").is_none(), "{before}");
    assert_ne!(ana.get(&deployment("etl", &id)).await.ok()["status"], "SUCCEEDED");
    ana.get("/v1/deployments/p-1").await.refused(404);
}

#[tokio::test]
async fn a_pipeline_that_makes_no_sense_is_refused_with_all_that_is_wrong() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let mut dangling = echo("p-2");
    dangling["source"] = "nowhere".into();

    let outside = chain("p-3", &[("file_source", json!({"path": "/etc/hosts"}), "text"), ("log", json!({}), "")]);
    let sent = envelope("etl", [("one", echo("p-1")), ("two", dangling), ("three", outside)]);
    let asked = post(&ana, "dryRun=false&scheduleOnDeploy=true", &sent).await;
    world.settle().await;

    let message = refused(&asked, 400);
    assert!(message.contains("`two`: ") && message.contains("`nowhere`"), "{message}");
    assert!(message.contains("`three`: ") && message.contains("`tidemill dev --allow-files DIR`"), "{message}");
    ana.get("/v1/deployments/p-1").await.refused(404);
    refused(&ana.get(&project("etl").replace("/v1", "/next")).await, 404);
}

#[tokio::test]
async fn a_bad_schedule_is_refused() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let mut sent = envelope("etl", []);
    sent["resources"] = json!([resource("one", json!({"pipeline": pipeline("p-1"), "schedule": "now and then"}))]);

    let message = refused(&post(&ana, "dryRun=false&scheduleOnDeploy=true", &sent).await, 400);

    assert!(message.contains("`one`: ") && message.contains("now and then"), "{message}");
}

#[tokio::test]
async fn pipelines_run_by_their_schedules_unless_that_is_not_asked_for() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    for (name, query) in [("on", "dryRun=false&scheduleOnDeploy=true"), ("off", "dryRun=false&scheduleOnDeploy=false")]
    {
        let mut sent = envelope(name, []);
        sent["resources"] = json!([resource("one", json!({"pipeline": pipeline(name), "schedule": "@hourly"}))]);
        post(&ana, query, &sent).await.ok();
    }

    world.settle().await;

    assert_eq!(ana.get("/v1/deployments/on").await.ok()["state"], "active");
    assert_eq!(ana.get("/v1/deployments/off").await.ok()["state"], "paused");
}

#[tokio::test]
async fn what_is_wrong_with_the_structure_is_refused_at_once_and_whole() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let mut sent = envelope("etl", [("one", broken("p-1"))]);
    sent["resources"].as_array_mut().unwrap().push(json!({"logicalId": "two", "type": "dashboard", "payload": {}}));
    sent["project"]["name"] = json!(null);

    let message = refused(&post(&ana, "dryRun=false&scheduleOnDeploy=true", &sent).await, 400);

    assert!(message.contains("`project.name`") && message.contains("`resources[1].type`"), "{message}");
    refused(&ana.get(&project("etl").replace("/v1", "/next")).await, 404);
}

#[tokio::test]
async fn a_query_that_is_not_known_is_refused() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let sent = envelope("etl", []);

    for query in ["dryRun=false&force=true", "dryRun=perhaps"] {
        let message = refused(&post(&ana, query, &sent).await, 400);
        assert!(message.contains("force") || message.contains("dryRun"), "{message}");
    }
}

#[tokio::test]
async fn a_body_that_becomes_too_large_is_refused_before_it_is_held() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let mut sent = many("etl", 1);
    sent["anything"] = " ".repeat(33 * 1024 * 1024).into();

    let message = refused(&post(&ana, "dryRun=false", &sent).await, 413);

    assert!(message.contains("33554432 bytes"), "{message}");
}

#[tokio::test]
async fn a_body_that_is_not_compressed_is_taken_too() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;

    let begun = ana.post("/v1/projects/deploy?dryRun=false", envelope("etl", [("one", echo("p-1"))])).await;

    assert_eq!(begun.status, 202);
    let headers = [("content-type", "text/plain")];
    refused(&ana.send(Method::POST, "/v1/projects/deploy", &headers, b"{}".to_vec()).await, 415);
}

#[tokio::test]
async fn where_a_project_was_deployed_from_is_kept_with_its_versions() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let mut sent = envelope("etl", [("one", echo("p-1"))]);
    sent["repoInfo"] = json!({
        "commitId": "0a1b2c3",
        "branchName": "main",
        "commitOwner": "Ana",
        "commitMessage": "Begin",
        "github": {"reporting": true, "pullRequestNumber": "42"},
    });

    deploy(&world, &ana, &sent).await;

    let version = ana.get("/v1/deployments/p-1/versions/1").await.ok();
    assert_eq!(version["git"]["commit"], "0a1b2c3", "{version}");
    assert_eq!(version["git"]["branch"], "main", "{version}");
    assert_eq!(version["git"]["pullRequest"], "42", "{version}");
}

#[tokio::test]
async fn a_dry_runs_message_says_what_would_fail() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    deploy(&world, &ana, &envelope("other", [("one", echo("p-1"))])).await;
    let mut broken = echo("p-2");
    broken["components"][0]["provider"] = "webhok".into();
    let two = envelope("etl", [("two", broken.clone()), ("three", json!({"project_id": "p-3", "components": []}))]);

    let taken = post(&ana, "dryRun=true", &envelope("etl", [("one", echo("p-1"))])).await;
    let unknown = post(&ana, "dryRun=true", &two).await;

    let message = |answer: &tidemill_testing::Answer| answer.body["message"].as_str().unwrap().to_owned();
    assert_eq!(taken.status, 400, "{}", taken.body);
    assert!(message(&taken).contains("`one`: project `p-1` belongs to the group `other`"), "{}", taken.body);
    assert_eq!(unknown.status, 400, "{}", unknown.body);
    assert!(
        message(&unknown).contains("did you mean `webhook`") && message(&unknown).contains("`three`"),
        "{}",
        unknown.body
    );
}

#[tokio::test]
async fn a_deployment_has_its_result_also_when_its_project_is_destroyed() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let deployed = deploy(&world, &ana, &envelope("etl", [("one", echo("p-1"))])).await;
    ana.delete("/v1/projects/etl?preserveResources=false&dryRun=false").await.ok();
    world.settle().await;

    let after = ana.get(&deployment("etl", deployed["id"].as_str().unwrap())).await.ok();

    assert_eq!(diff(&after["result"]), diff(&deployed["result"]));
    assert_eq!(after["result"]["project"]["logicalId"], "etl");
}

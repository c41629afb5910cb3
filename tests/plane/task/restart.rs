//! Giving a task another pipeline.

use crate::given::{chain, echo};
use serde_json::{Value, json};
use tidemill_testing::{TestPlane, User};

async fn opened(user: &User) -> String {
    let opened = user.post("/v1/tasks", json!({"pipeline": echo("p")})).await.ok();
    format!("/v1/tasks/{}", opened["token"].as_str().unwrap())
}

async fn text(user: &User, path: &str) -> Value {
    let headers = [("content-type", "text/plain")];
    let sent = user.send(http::Method::POST, &format!("{path}/objects"), &headers, b"hi".to_vec()).await.ok();
    sent["result"]["text"].clone()
}

#[tokio::test]
async fn a_restarted_task_keeps_its_token_and_runs_what_it_was_given() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let path = opened(&ana).await;
    assert_eq!(text(&ana, &path).await, json!(["hi\n\n"]));
    let template = json!({"template": "new {{ value }}"});
    let links =
        [("webhook", json!({}), "text"), ("template", template, "text"), ("response", json!({"lanes": []}), "")];

    ana.post(&format!("{path}/restart"), json!({"pipeline": chain("p", &links)})).await.ok();

    assert_eq!(text(&ana, &path).await, json!(["new hi\n\n"]));
    let task = ana.get(&path).await.ok();
    assert_eq!((&task["restarts"], &task["completedCount"]), (&json!(1), &json!(2)));
}

#[tokio::test]
async fn a_restart_without_a_pipeline_keeps_the_one_that_there_is_and_an_ended_task_has_none() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let path = opened(&ana).await;

    ana.post(&format!("{path}/restart"), json!({})).await.ok();
    assert_eq!(text(&ana, &path).await, json!(["hi\n\n"]));
    ana.delete(&path).await.ok();

    assert_eq!(ana.post(&format!("{path}/restart"), json!({})).await.refused(409), "failed_precondition");
    assert_eq!(ana.delete(&path).await.refused(409), "failed_precondition");
}

/// A pipeline of a single source, which nothing else depends on.
fn only(provider: &str, config: Value, lane: &str) -> Value {
    let mut only = chain("p", &[(provider, config, lane), ("response", json!({"lanes": []}), "")]);
    only["source"] = "webhook_1".into();
    only["components"][0]["id"] = "webhook_1".into();
    only["components"][1]["input"][0]["from"] = "webhook_1".into();
    only
}

#[tokio::test]
async fn a_source_that_makes_its_own_objects_does_not_take_the_place_of_one_that_waits() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let path = opened(&ana).await;

    let pipeline = only("timer", json!({}), "documents");
    let refused = ana.post(&format!("{path}/restart"), json!({"pipeline": pipeline})).await;

    assert!(refused.body.to_string().contains("`webhook_1` is a `timer`"), "{}", refused.body);
    assert_eq!(refused.refused(409), "failed_precondition");
    assert_eq!(text(&ana, &path).await, json!(["hi\n\n"]));
}

#[tokio::test]
async fn the_source_may_become_another_that_waits_and_is_known_as_that() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let path = opened(&ana).await;

    let pipeline = only("chat", json!({}), "questions");
    let restarted = ana.post(&format!("{path}/restart"), json!({"pipeline": pipeline})).await.ok();

    assert_eq!(restarted["provider"], "chat");
    assert_eq!(ana.get(&path).await.ok()["provider"], "chat");
}

#[tokio::test]
async fn a_pipeline_without_a_project_is_one_of_the_tasks_own() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    let path = opened(&ana).await;
    let mut pipeline = echo("p");
    pipeline.as_object_mut().unwrap().remove("project_id");

    let restarted = ana.post(&format!("{path}/restart"), json!({"pipeline": pipeline})).await.ok();

    assert_eq!(restarted["project"], "p");
    assert_eq!(ana.get(&format!("{path}/pipeline")).await.ok()["pipeline"]["project_id"], "p");
}

//! What Checkly's clients send, and what they get.

use crate::given::echo;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use std::io::Write;
use tidemill_testing::{Answer, TestPlane, User};

/// A project with its pipelines, by their logical ids.
pub fn envelope<const N: usize>(project: &str, pipelines: [(&str, Value); N]) -> Value {
    let resources = pipelines.into_iter().map(|(id, pipeline)| resource(id, json!({"pipeline": pipeline})));
    json!({
        "project": {"logicalId": project, "name": "Demo", "repoUrl": "https://example.com/demo"},
        "sharedFiles": [],
        "resources": resources.collect::<Vec<_>>(),
        "repoInfo": null,
    })
}

/// A project with many pipelines, `pl-0`, `pl-1`, …
pub fn many(project: &str, count: usize) -> Value {
    let mut sent = envelope(project, []);
    let one =
        |number: usize| resource(&format!("pl-{number}"), json!({"pipeline": echo(&format!("{project}-{number}"))}));
    sent["resources"] = (0..count).map(one).collect();
    sent
}

pub fn resource(logical_id: &str, payload: Value) -> Value {
    json!({"logicalId": logical_id, "type": "pipeline", "member": true, "payload": payload})
}

pub fn gzip(body: &Value) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body.to_string().as_bytes()).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

/// Sends an envelope as the clients do.
pub async fn post(user: &User, query: &str, envelope: &Value) -> Answer {
    let headers = [("content-type", "application/json"), ("content-encoding", "gzip")];
    user.send(Method::POST, &format!("/v1/projects/deploy?{query}"), &headers, gzip(envelope)).await
}

/// Begins a deployment: its id.
pub async fn begin(user: &User, envelope: &Value) -> String {
    let begun = post(user, "dryRun=false&scheduleOnDeploy=true", envelope).await;
    assert_eq!(begun.status, 202, "{}", begun.body);
    begun.body["id"].as_str().expect("a deployment has an id").to_owned()
}

/// Deploys, and lets the plane do it: the deployment at its end.
pub async fn deploy(world: &TestPlane, user: &User, envelope: &Value) -> Value {
    let id = begin(user, envelope).await;
    world.settle().await;
    let project = envelope["project"]["logicalId"].as_str().expect("a project has an id");
    user.get(&deployment(project, &id)).await.ok()
}

pub async fn preview(user: &User, envelope: &Value) -> Value {
    post(user, "dryRun=true&scheduleOnDeploy=true", envelope).await.ok()
}

/// The diff of a result, as `pl-0 pipeline CREATE`.
pub fn diff(result: &Value) -> Vec<String> {
    let entries = result["diff"].as_array().unwrap_or_else(|| panic!("this has no diff: {result}")).iter();
    let word = |entry: &Value, name: &str| entry[name].as_str().expect("it is text").to_owned();
    let mut lines: Vec<_> =
        entries.map(|entry| [word(entry, "logicalId"), word(entry, "type"), word(entry, "action")].join(" ")).collect();
    lines.sort();
    lines
}

pub fn project(logical_id: &str) -> String {
    format!("/v1/projects/{}", utf8_percent_encode(logical_id, NON_ALPHANUMERIC))
}

pub fn deployment(project_id: &str, id: &str) -> String {
    format!("{}/deployments/{id}", project(project_id))
}

/// The message of a refusal in the form that the clients know.
#[track_caller]
pub fn refused(answer: &Answer, status: u16) -> String {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.body);
    assert_eq!(answer.body["statusCode"], status, "{}", answer.body);
    assert!(answer.body["error"].is_string(), "{}", answer.body);
    answer.body["message"].as_str().expect("a refusal has a message").to_owned()
}

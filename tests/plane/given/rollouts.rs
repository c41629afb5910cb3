//! Rollouts for tests.

use serde_json::{Value, json};
use tidemill_testing::{TestPlane, User, pipeline};

/// A pipeline of a rollout, with a name for each version.
pub fn wanted(project: &str, name: &str) -> Value {
    let mut named = pipeline(project);
    named["name"] = name.into();
    json!({"pipeline": named})
}

/// A rollout of a group's pipelines: all of them are called `name`.
pub fn rollout(group: &str, projects: &[&str], name: &str) -> Value {
    let pipelines: Vec<Value> = projects.iter().map(|project| wanted(project, name)).collect();
    json!({"group": group, "pipelines": pipelines, "gone": "prune"})
}

/// A pipeline that no plane can run.
pub fn broken(project: &str) -> Value {
    json!({"pipeline": {"project_id": project, "source": "a", "components": [{"id": "a", "provider": "nope", "config": {}}]}})
}

/// Begins a rollout and gives its id.
pub async fn begin(user: &User, request: Value) -> String {
    user.post("/v1/rollouts", request).await.ok()["id"].as_str().expect("a rollout has an id").to_owned()
}

/// Begins a rollout and carries it out.
pub async fn roll_out(world: &TestPlane, user: &User, request: Value) -> Value {
    let id = begin(user, request).await;
    world.settle().await;
    shown(user, &id).await
}

pub async fn shown(user: &User, id: &str) -> Value {
    user.get(&format!("/v1/rollouts/{id}")).await.ok()
}

/// What a rollout did: `action project outcome`, in order.
pub fn did(rollout: &Value) -> Vec<String> {
    let text = |item: &Value, field: &str| item[field].as_str().unwrap_or("-").to_owned();
    let items = rollout["items"].as_array().expect("a rollout has items");
    items
        .iter()
        .map(|item| format!("{} {} {}", text(item, "action"), text(item, "project"), text(item, "outcome")))
        .collect()
}

/// The version that is live, or `None`.
pub async fn live(user: &User, project: &str) -> Option<u64> {
    user.get(&format!("/v1/deployments/{project}")).await.body["version"].as_u64()
}

pub async fn findings(user: &User) -> Value {
    user.post("/v1/doctor", Value::Null).await.ok()["findings"].clone()
}

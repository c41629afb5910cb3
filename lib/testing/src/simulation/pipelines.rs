//! The small pipelines that simulated users deploy.

use super::chance::Chance;
use serde_json::{Value, json};

/// Projects with a deployment of their own.
pub const PROJECTS: [&str; 2] = ["p", "q"];
/// Groups, the first of which is rolled out on every day.
const GROUPS: [&str; 3] = ["night", "noon", "dawn"];
/// Projects of tasks.
pub const TASKS: [&str; 2] = ["t", "u"];

/// A pipeline of some project: a short one, one of several steps, or one that fails.
pub fn any(chance: &Chance, project: &str) -> Value {
    let name = format!("n{}", chance.below(4));
    match chance.below(10) {
        0..=5 => timed(project, &name, &[]),
        6..=8 => timed(
            project,
            &name,
            &[steps(), json!({"id": "dedupe_1", "provider": "dedupe", "config": {"expires": "1s"}})],
        ),
        _ => timed(
            project,
            &name,
            &[json!({"id": "json_1", "provider": "json", "config": {"program": "error(\"no\")"}})],
        ),
    }
}

/// A pipeline whose runs are through at once.
pub fn short(project: &str) -> Value {
    timed(project, "short", &[])
}

/// A pipeline whose runs log and are saved in many steps.
pub fn long(project: &str) -> Value {
    let dedupe = json!({"id": "dedupe_1", "provider": "dedupe", "config": {"expires": "1s"}});
    let mut pipeline = timed(project, "long", &[values(400), dedupe]);
    let components = pipeline["components"].as_array_mut().expect("there are components");
    components.push(log("documents", "json_1"));
    pipeline
}

/// More keys than one save takes.
fn steps() -> Value {
    values(120)
}

fn values(number: u32) -> Value {
    json!({"id": "json_1", "provider": "json", "config": {"program": format!("range({number})")}})
}

fn log(lane: &str, from: &str) -> Value {
    json!({"id": "log_1", "provider": "log", "config": {}, "input": [{"lane": lane, "from": from}]})
}

/// A timer, some components in a row, and a response.
fn timed(project: &str, name: &str, between: &[Value]) -> Value {
    let mut components =
        vec![json!({"id": "timer_1", "provider": "timer", "config": {"mode": "Source", "type": "timer"}})];
    let response = json!({"id": "response_1", "provider": "response", "config": {"lanes": []}});
    for mut component in between.iter().cloned().chain([response]) {
        let before = components.last().expect("there is the timer")["id"].clone();
        component["input"] = json!([{"lane": "documents", "from": before}]);
        components.push(component);
    }
    json!({"project_id": project, "name": name, "source": "timer_1", "components": components})
}

/// Answers each object with itself, and logs it.
pub fn echo(project: &str) -> Value {
    json!({"project_id": project, "source": "webhook_1", "components": [
        {"id": "webhook_1", "provider": "webhook", "config": {}},
        {"id": "response_1", "provider": "response", "config": {"lanes": []}, "input": [{"lane": "text", "from": "webhook_1"}]},
        log("text", "webhook_1"),
    ]})
}

/// The same under a name.
pub fn echo_named(project: &str, name: &str) -> Value {
    let mut pipeline = echo(project);
    pipeline["name"] = name.into();
    pipeline
}

/// A rollout of a group with some of its pipelines, at least one.
pub fn rollout(chance: &Chance, size: Size) -> Value {
    let (group, most) = match size {
        Size::Small => (GROUPS[0], 2),
        Size::Large => (any_group(chance), 4),
    };
    let name = format!("n{}", chance.below(4));
    let pipeline = |number| timed(&format!("{group}-{number}"), &name, &[]);
    let pipelines =
        (0..=chance.below(most)).map(|number| json!({"pipeline": pipeline(number), "schedule": "*/2 * * * *"}));
    let pipelines: Vec<Value> = pipelines.collect();
    let gone = *chance.one_of(&["prune", "keep"]);
    json!({"group": group, "pipelines": pipelines, "gone": gone})
}

/// How much there is of rollouts.
#[derive(Clone, Copy)]
pub enum Size {
    /// One group of two pipelines.
    Small,
    /// Three groups of four.
    Large,
}

pub fn any_group(chance: &Chance) -> &'static str {
    chance.one_of::<&str>(&GROUPS)
}

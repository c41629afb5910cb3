//! What users ask for.

use super::chance::Chance;
use super::pipelines::{self, PROJECTS, TASKS};
use super::users::Known;
use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

/// Where environments are.
pub const ENVIRONMENTS: [&str; 2] = ["staging", "live"];

/// How often a deployment is due.
const SCHEDULES: [&str; 2] = ["* * * * *", "*/2 * * * *"];

/// A request, with the word for what it does.
pub struct Action {
    pub word: &'static str,
    method: &'static str,
    path: String,
    body: Value,
}

impl Action {
    fn new(word: &'static str, method: &'static str, path: String, body: Value) -> Action {
        Action { word, method, path, body }
    }

    pub fn hook(path: String) -> Action {
        Action::new("hook", "POST", path, Value::Null)
    }

    fn run(project: &str) -> Action {
        Action::new("run", "POST", format!("/v1/deployments/{project}/runs"), json!({}))
    }

    /// Whether its answer is remembered by its idempotency key.
    pub fn is_remembered(&self) -> bool {
        matches!(self.word, "add" | "update" | "run" | "rollout")
    }

    /// Its request number so and so, by a key.
    pub fn request(&self, key: &str, number: u64) -> Request<Body> {
        let (content, body) = match self.word {
            "send" | "hook" => ("text/plain", "hello".to_owned()),
            _ if self.body.is_null() => ("text/plain", String::new()),
            _ => ("application/json", self.body.to_string()),
        };
        let mut request = Request::builder().method(self.method).uri(&self.path);
        if self.word != "hook" {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        if self.is_remembered() {
            request = request.header("idempotency-key", format!("request-{number}"));
        }
        if !body.is_empty() {
            request = request.header("content-type", content);
        }
        request.body(Body::from(body)).expect("the request is well formed")
    }

    /// Something that a user may ask for, on what users know.
    pub fn any(chance: &Chance, known: &Known) -> Action {
        let on = |things: &[String], word, method, verb| Action::on(chance, things, word, method, verb);
        let project = *chance.one_of(&PROJECTS);
        let of_project = |action: &str| format!("/v1/deployments/{project}{action}");
        match chance.below(24) {
            0 => Action::add(chance, project),
            1 | 2 => {
                Action::new("update", "PATCH", of_project(""), json!({"pipeline": pipelines::any(chance, project)}))
            }
            3 => {
                let schedule = *chance.one_of(&["* * * * *", "*/2 * * * *", "manual"]);
                Action::new("update", "PATCH", of_project(""), json!({"schedule": schedule}))
            }
            4 | 5 => Action::new("pause", "POST", of_project("/pause"), json!({})),
            6 | 7 => Action::new("resume", "POST", of_project("/resume"), Value::Null),
            8 => Action::new("remove", "DELETE", of_project(""), Value::Null),
            9 | 10 => Action::run(project),
            11..=13 => on(&known.hooks, "hook", "POST", ""),
            14 => on(&known.runs, "cancel", "POST", "/cancel"),
            15 | 16 => Action::environment(chance),
            17 | 18 => Action::roll_out(chance),
            19 => on(&known.rollouts, "cancel rollout", "POST", "/cancel"),
            20 => Action::open_task(),
            21 | 22 => on(&known.tasks, "send", "POST", "/objects"),
            _ => on(&known.tasks, "end task", "DELETE", ""),
        }
    }

    pub fn add(chance: &Chance, project: &str) -> Action {
        let body = json!({"pipeline": pipelines::any(chance, project), "schedule": chance.one_of(&SCHEDULES)});
        Action::new("add", "POST", "/v1/deployments".into(), body)
    }

    pub fn roll_out(chance: &Chance) -> Action {
        Action::new("rollout", "POST", "/v1/rollouts".into(), pipelines::rollout(chance))
    }

    pub fn open_task() -> Action {
        let body = json!({"pipeline": pipelines::echo(TASKS), "ttlSeconds": 60});
        Action::new("open task", "POST", "/v1/tasks".into(), body)
    }

    pub fn deploy(chance: &Chance, environment: &str) -> Action {
        let path = format!("/v1/environments/{environment}/projects/{}", PROJECTS[0]);
        Action::new("deploy", "PUT", path, json!({"version": 1 + chance.below(2)}))
    }

    /// An action on one of some things that users know, mostly one of the newest; a run where they know none.
    fn on(chance: &Chance, things: &[String], word: &'static str, method: &'static str, verb: &str) -> Action {
        let Some(last) = things.len().checked_sub(1) else { return Action::run(PROJECTS[0]) };
        let thing = &things[last - chance.below(4).min(last as u64) as usize];
        let path = match word {
            "hook" => thing.clone(),
            "cancel" => format!("/v1/runs/{thing}{verb}"),
            "cancel rollout" => format!("/v1/rollouts/{thing}{verb}"),
            _ => format!("/v1/tasks/{thing}{verb}"),
        };
        Action::new(word, method, path, Value::Null)
    }

    fn environment(chance: &Chance) -> Action {
        let (name, other) = match chance.is(500) {
            true => (ENVIRONMENTS[0], ENVIRONMENTS[1]),
            false => (ENVIRONMENTS[1], ENVIRONMENTS[0]),
        };
        let at = |verb: &str| format!("/v1/environments/{name}/projects/{}{verb}", PROJECTS[0]);
        match chance.below(12) {
            0..=4 => Action::deploy(chance, name),
            5 | 6 => Action::new("promote", "POST", at("/promote"), json!({"from": other})),
            7 => Action::new("roll back", "POST", at("/rollback"), json!({})),
            8 => Action::new("disable", "POST", at("/disable"), Value::Null),
            9 => Action::new("enable", "POST", at("/enable"), Value::Null),
            10 => {
                Action::new("schedule", "PATCH", at("/sources/timer_1"), json!({"schedule": {"schedule": "* * * * *"}}))
            }
            _ => Action::new("remove from environment", "DELETE", at(""), Value::Null),
        }
    }
}

//! What users ask for.

use super::chance::Chance;
use super::pipelines::{self, PROJECTS, Size, TASKS};
use super::users::Known;
use axum::body::Body;
use futures::stream;
use http::Request;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::time::Duration;

/// Where environments are.
pub const ENVIRONMENTS: [&str; 2] = ["staging", "live"];

/// How often a deployment is due.
const SCHEDULES: [&str; 2] = ["* * * * *", "*/2 * * * *"];
/// How long a user waits for an answer to what is sent at once.
const PATIENCE: Duration = Duration::from_secs(60);
/// A text that some tasks are addressed by.
const CHOSEN_TOKEN: &str = "mine";

/// A request, with the word for what it does.
pub struct Action {
    pub word: &'static str,
    method: &'static str,
    path: String,
    body: Value,
    /// Sent with the key that a user made, instead of the first one.
    key: Option<String>,
    /// How long the body is on its way, in two parts.
    slow: Option<Duration>,
}

impl Action {
    fn new(word: &'static str, method: &'static str, path: String, body: Value) -> Action {
        Action { word, method, path, body, key: None, slow: None }
    }

    /// The same, sometimes with one of the keys that users made.
    pub fn by(self, chance: &Chance, known: &Known) -> Action {
        let key = newest(chance, &known.keys).map(|(_, key)| key.clone());
        Action { key, ..self }
    }

    /// Whether its answer is remembered by its idempotency key.
    pub fn is_remembered(&self) -> bool {
        matches!(self.word, "add" | "update" | "run" | "hook" | "rollout" | "remove group" | "create key")
    }

    /// Whether it is sent with a key that a user made, and may have revoked.
    pub fn is_by_another_key(&self) -> bool {
        self.key.is_some()
    }

    /// How long its user waits for an answer.
    pub fn patience(&self) -> Duration {
        PATIENCE + self.slow.unwrap_or_default()
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
            request = request.header("authorization", format!("Bearer {}", self.key.as_deref().unwrap_or(key)));
        }
        if self.is_remembered() {
            request = request.header("idempotency-key", format!("request-{number}"));
        }
        if !body.is_empty() {
            request = request.header("content-type", content);
        }
        let body = match self.slow {
            None => Body::from(body),
            Some(pause) => Body::from_stream(in_two_parts(body, pause)),
        };
        request.body(body).expect("the request is well formed")
    }
}

/// A body with a pause in it.
fn in_two_parts(body: String, pause: Duration) -> impl stream::Stream<Item = Result<String, Infallible>> {
    let (first, second) = body.split_at(body.len() / 2);
    let parts = [(first.to_owned(), Duration::ZERO), (second.to_owned(), pause)];
    stream::unfold(parts.into_iter(), |mut parts| async move {
        let (part, pause) = parts.next()?;
        tokio::time::sleep(pause).await;
        Some((Ok(part), parts))
    })
}

/// One of some things, mostly one of the newest.
fn newest<'a, T>(chance: &Chance, things: &'a [T]) -> Option<&'a T> {
    let last = things.len().checked_sub(1)?;
    Some(&things[last - chance.below(4).min(last as u64) as usize])
}

/// Projects and their runs.
impl Action {
    pub fn add(chance: &Chance, project: &str) -> Action {
        Action::add_as(pipelines::any(chance, project), chance.one_of::<&str>(&SCHEDULES))
    }

    /// Deploys a pipeline whose runs are short, to run each minute.
    pub fn add_short(project: &str) -> Action {
        Action::add_as(pipelines::short(project), SCHEDULES[0])
    }

    /// Deploys a pipeline whose runs are saved many times.
    pub fn add_long(chance: &Chance, project: &str) -> Action {
        Action::add_as(pipelines::long(project), chance.one_of::<&str>(&SCHEDULES))
    }

    fn add_as(pipeline: Value, schedule: &str) -> Action {
        Action::new("add", "POST", "/v1/deployments".into(), json!({"pipeline": pipeline, "schedule": schedule}))
    }

    pub fn update(project: &str, pipeline: Value) -> Action {
        Action::new("update", "PATCH", of_project(project, ""), json!({"pipeline": pipeline}))
    }

    pub fn reschedule(chance: &Chance, project: &str) -> Action {
        let schedule = *chance.one_of(&["* * * * *", "*/2 * * * *", "manual"]);
        Action::new("update", "PATCH", of_project(project, ""), json!({"schedule": schedule}))
    }

    pub fn pause(project: &str) -> Action {
        Action::new("pause", "POST", of_project(project, "/pause"), json!({}))
    }

    pub fn resume(project: &str) -> Action {
        Action::new("resume", "POST", of_project(project, "/resume"), Value::Null)
    }

    pub fn remove(project: &str) -> Action {
        Action::new("remove", "DELETE", of_project(project, ""), Value::Null)
    }

    pub fn run(project: &str) -> Action {
        Action::new("run", "POST", of_project(project, "/runs"), json!({}))
    }

    /// Calls a hook that is known; else starts a run.
    pub fn hook(chance: &Chance, known: &Known) -> Action {
        newest(chance, &known.hooks).map_or_else(|| Action::run(PROJECTS[0]), |path| Action::call(path.clone()))
    }

    pub fn call(path: String) -> Action {
        Action::new("hook", "POST", path, Value::Null)
    }

    /// Cancels a run that is known; else starts one.
    pub fn cancel(chance: &Chance, known: &Known) -> Action {
        match newest(chance, &known.runs) {
            Some(run) => Action::new("cancel", "POST", format!("/v1/runs/{run}/cancel"), Value::Null),
            None => Action::run(PROJECTS[0]),
        }
    }
}

fn of_project(project: &str, verb: &str) -> String {
    format!("/v1/deployments/{project}{verb}")
}

/// Environments.
impl Action {
    pub fn deploy(chance: &Chance, environment: &str) -> Action {
        let path = format!("/v1/environments/{environment}/projects/{}", PROJECTS[0]);
        Action::new("deploy", "PUT", path, json!({"version": 1 + chance.below(2)}))
    }

    pub fn environment(chance: &Chance) -> Action {
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

/// Groups and rollouts.
impl Action {
    pub fn roll_out(chance: &Chance, size: Size) -> Action {
        Action::new("rollout", "POST", "/v1/rollouts".into(), pipelines::rollout(chance, size))
    }

    /// Cancels a rollout that is known; else starts one.
    pub fn cancel_rollout(chance: &Chance, known: &Known) -> Action {
        match newest(chance, &known.rollouts) {
            Some(id) => Action::new("cancel rollout", "POST", format!("/v1/rollouts/{id}/cancel"), Value::Null),
            None => Action::roll_out(chance, Size::Small),
        }
    }

    pub fn add_group(chance: &Chance) -> Action {
        Action::new("add group", "POST", "/v1/groups".into(), json!({"group": pipelines::any_group(chance)}))
    }

    pub fn remove_group(chance: &Chance) -> Action {
        let path = format!("/v1/groups/{}", pipelines::any_group(chance));
        Action::new("remove group", "DELETE", path, Value::Null)
    }
}

/// Tasks.
impl Action {
    /// Opens a task of one of two projects, under a token that is drawn or chosen.
    pub fn open_task(chance: &Chance) -> Action {
        let mut body = json!({"pipeline": pipelines::echo(chance.one_of::<&str>(&TASKS)), "ttlSeconds": 60});
        if chance.is(500) {
            body["token"] = CHOSEN_TOKEN.into();
        }
        Action::new("open task", "POST", "/v1/tasks".into(), body)
    }

    /// Sends an object to a task that is known, at once or in two parts; else opens one.
    pub fn send(chance: &Chance, known: &Known) -> Action {
        let slow = chance.is(400).then(|| chance.millis(1_000, 150_000));
        Action { slow, ..Action::on_task(chance, known, "send", "POST", "/objects", Value::Null) }
    }

    pub fn restart_task(chance: &Chance, known: &Known) -> Action {
        let pipeline = pipelines::echo_named(TASKS[0], &format!("n{}", chance.below(4)));
        Action::on_task(chance, known, "restart task", "POST", "/restart", json!({"pipeline": pipeline}))
    }

    pub fn look_at_task(chance: &Chance, known: &Known) -> Action {
        Action::on_task(chance, known, "look at task", "GET", "", Value::Null)
    }

    pub fn end_task(chance: &Chance, known: &Known) -> Action {
        Action::on_task(chance, known, "end task", "DELETE", "", Value::Null)
    }

    fn on_task(
        chance: &Chance,
        known: &Known,
        word: &'static str,
        method: &'static str,
        verb: &str,
        body: Value,
    ) -> Action {
        match newest(chance, &known.tasks) {
            Some(token) => Action::new(word, method, format!("/v1/tasks/{token}{verb}"), body),
            None => Action::open_task(chance),
        }
    }
}

/// Keys.
impl Action {
    pub fn create_key() -> Action {
        Action::new("create key", "POST", "/v1/keys".into(), json!({}))
    }

    /// Revokes a key that a user made; else makes one.
    pub fn revoke_key(chance: &Chance, known: &Known) -> Action {
        match newest(chance, &known.keys) {
            Some((id, _)) => Action::new("revoke key", "DELETE", format!("/v1/keys/{id}"), Value::Null),
            None => Action::create_key(),
        }
    }
}

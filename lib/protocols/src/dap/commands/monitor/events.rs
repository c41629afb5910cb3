//! The events that follow from tasks' records: how they stand, that they began and ended, and what they logged.

use crate::dap::monitors::{Told, Types, Watch, Watched};
use crate::task_status;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tidemill_model::ids::{ProjectId, RunId};
use tidemill_operations::answer::TaskStatus;
use tidemill_operations::run_logs::{self, RunLogs};
use tidemill_operations::task_get::{self, TaskGet};
use tidemill_operations::task_list::{self, TaskList};
use tidemill_operations::{Call, Code, Error, Operation, Plane};

type Events = Vec<(&'static str, Value)>;
/// Tasks by their runs.
type Tasks = BTreeMap<String, TaskStatus>;
/// How they were told of, by their runs.
type Last = BTreeMap<String, Told>;

/// What a new subscription is told at once, and how the tasks are.
pub async fn at_once(plane: &Plane, call: &Call, watched: &Watched, new: Types) -> Result<(Events, Last), Error> {
    let tasks = read(plane, call, watched).await?;
    let mut events = Vec::new();
    if new.has(Types::TASK) {
        let running: Vec<Value> = tasks.values().filter(|task| is_running(task)).map(named).collect();
        events.push(("apaevt_task", json!({"action": "running", "tasks": running})));
    }
    if new.has(Types::SUMMARY) {
        events.extend(tasks.values().map(|task| summary(plane, task)));
        if let (true, Watched::Source(project, source)) = (tasks.is_empty(), watched) {
            events.push(("apaevt_status_update", task_status::not_running(project.as_str(), source)));
        }
    }
    Ok((events, last(&tasks)))
}

/// What has changed since some tasks were told of, and how they are now.
pub async fn changes(plane: &Plane, call: &Call, watched: &Watched, watch: &Watch) -> Result<(Events, Last), Error> {
    let mut tasks = read(plane, call, watched).await?;
    // A source's task that ended is found by its token only.
    for (run, before) in &watch.last {
        if before.is_running && !tasks.contains_key(run) {
            let last = by_token(plane, call, &before.token).await?.filter(|task| task.run == *run);
            tasks.extend(last.map(|task| (run.clone(), task)));
        }
    }
    let mut events = Vec::new();
    for (run, task) in &tasks {
        let before = watch.last.get(run);
        if before == Some(&Told::from(task)) {
            continue;
        }
        if watch.types.has(Types::TASK) {
            events.extend(action(before, task).map(|action| lifecycle(action, task)));
        }
        if watch.types.has(Types::SUMMARY) {
            events.push(summary(plane, task));
        }
        if watch.types.has(Types::OUTPUT) {
            events.extend(output(plane, call, before, task).await?);
        }
    }
    Ok((events, last(&tasks)))
}

fn last(tasks: &Tasks) -> Last {
    tasks.iter().map(|(run, task)| (run.clone(), Told::from(task))).collect()
}

async fn read(plane: &Plane, call: &Call, watched: &Watched) -> Result<Tasks, Error> {
    let found = match watched {
        Watched::All => TaskList::run(plane, call, task_list::Input {}).await?.items,
        Watched::Token(token) => by_token(plane, call, token).await?.into_iter().collect(),
        Watched::Source(project, source) => {
            let (project, source) = (Some(project.clone()), Some(source.clone()));
            let input = task_get::Input { token: None, project, source };
            there(TaskGet::run(plane, call, input).await)?.into_iter().collect()
        }
    };
    Ok(found.into_iter().map(|task| (task.run.clone(), task)).collect())
}

async fn by_token(plane: &Plane, call: &Call, token: &str) -> Result<Option<TaskStatus>, Error> {
    let input = task_get::Input { token: Some(token.to_owned()), ..task_get::Input::default() };
    there(TaskGet::run(plane, call, input).await)
}

fn there(found: Result<TaskStatus, Error>) -> Result<Option<TaskStatus>, Error> {
    match found {
        Err(error) if error.code == Code::NotFound => Ok(None),
        found => found.map(Some),
    }
}

fn is_running(task: &TaskStatus) -> bool {
    task.ended_at.is_none()
}

/// What happened to a task as a whole.
fn action(before: Option<&Told>, now: &TaskStatus) -> Option<&'static str> {
    match before {
        None => is_running(now).then_some("begin"),
        Some(before) if before.is_running && !is_running(now) => Some("end"),
        Some(before) if before.restarts != now.restarts => Some("restart"),
        Some(_) => None,
    }
}

fn lifecycle(action: &str, task: &TaskStatus) -> (&'static str, Value) {
    let mut body = named(task);
    body["action"] = action.into();
    body["__id"] = task.id.clone().into();
    ("apaevt_task", body)
}

fn named(task: &TaskStatus) -> Value {
    json!({"id": task.id, "name": task.name, "projectId": task.project, "source": task.source})
}

fn summary(plane: &Plane, task: &TaskStatus) -> (&'static str, Value) {
    let mut body = task_status::of(task, plane.now());
    body["__id"] = task.id.clone().into();
    ("apaevt_status_update", body)
}

/// The lines that a task logged since it was told of.
async fn output(plane: &Plane, call: &Call, before: Option<&Told>, task: &TaskStatus) -> Result<Events, Error> {
    let told = before.map_or(0, |before| before.log_chunks);
    if task.log_chunks <= told {
        return Ok(Vec::new());
    }
    let (run, project) = (RunId::parse(task.run.as_str())?, ProjectId::parse(task.project.as_str())?);
    let input = run_logs::Input { run, project: Some(project), from: Some(told) };
    let lines = RunLogs::run(plane, call, input).await?.items;
    let event = |line: Box<serde_json::value::RawValue>| {
        let line: Value = serde_json::from_str(line.get()).unwrap_or_default();
        let text = line["message"].as_str().unwrap_or_default();
        let category = if line["level"] == "error" { "stderr" } else { "stdout" };
        ("output", json!({"category": category, "output": format!("{text}\n"), "__id": task.id}))
    };
    Ok(lines.into_iter().map(event).collect())
}

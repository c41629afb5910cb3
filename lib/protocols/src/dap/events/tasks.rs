//! The events that follow from tasks' records: how they stand, that they began and ended, and what they logged.

use super::{Event, Progress, Recipient, TaskProgress};
use crate::dap::event_types::Types;
use crate::dap::monitors::{Tasks as Watched, Watches};
use crate::task_status;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tidemill_model::ids::RunId;
use tidemill_model::task::Counts;
use tidemill_operations::answer::TaskStatus;
use tidemill_operations::{Code, Error, Operation, run, task};

/// Tasks by their runs.
type Tasks = BTreeMap<String, TaskStatus>;

/// The events of the present state of tasks, for a new subscription.
pub fn at_once(recipient: &Recipient<'_>, watched: &Watched, new: Types, tasks: &Tasks) -> Vec<Event> {
    let mut events = Vec::new();
    if new.has(Types::TASK) {
        let running: Vec<Value> = tasks.values().filter(|task| is_running(task)).map(named).collect();
        events.push(("apaevt_task", json!({"action": "running", "tasks": running})));
    }
    if new.has(Types::SUMMARY) {
        // A source's tasks are found when they have ended, too, and are none that run.
        let is_shown = |task: &&TaskStatus| is_running(task) || !matches!(watched, Watched::Of { .. });
        events.extend(tasks.values().filter(is_shown).map(|task| summary(recipient, task)));
        if let (false, Watched::Of { project, source: Some(source), .. }) = (tasks.values().any(is_running), watched) {
            events.push(("apaevt_status_update", task_status::not_running(project.as_str(), source)));
        }
    }
    events
}

/// The tasks that are watched, each once. One whose last event said that it runs is looked up also when the list has
/// forgotten it.
pub async fn read_all(recipient: &Recipient<'_>, watches: &Watches, progress: &Progress) -> Result<Tasks, Error> {
    let mut found = Tasks::new();
    if watches.iter().any(needs_list) {
        found = list(recipient).await?;
    } else {
        for watched in watches.iter() {
            found.extend(read(recipient, watched).await?);
        }
    }
    found.retain(|_, task| watches.wants((&*task).into()));
    for (run, known) in &progress.tasks {
        if known.is_running && watches.wants(known.watched()) && !found.contains_key(run) {
            let last = by_token(recipient, &known.token).await?.filter(|task| task.run == *run);
            found.extend(last.map(|task| (run.clone(), task)));
        }
    }
    Ok(found)
}

/// Whether only a list of the caller's tasks finds what is watched: a source has one task after another, and any number
/// of them between two looks.
fn needs_list(watched: &Watched) -> bool {
    matches!(watched, Watched::All | Watched::Of { .. })
}

pub async fn read(recipient: &Recipient<'_>, watched: &Watched) -> Result<Tasks, Error> {
    if let Watched::Token(token) = watched {
        return Ok(by_run(by_token(recipient, token).await?));
    }
    let mut found = list(recipient).await?;
    found.retain(|_, task| watched.has((&*task).into()));
    Ok(found)
}

async fn list(recipient: &Recipient<'_>) -> Result<Tasks, Error> {
    let Recipient { plane, call, .. } = *recipient;
    let mut found = by_run(task::of_run::list(plane, call).await?);
    found.extend(by_run(task::List::run(plane, call, task::list::Input {}).await?.items));
    Ok(found)
}

fn by_run(tasks: impl IntoIterator<Item = TaskStatus>) -> Tasks {
    tasks.into_iter().map(|task| (task.run.clone(), task)).collect()
}

async fn by_token(recipient: &Recipient<'_>, token: &str) -> Result<Option<TaskStatus>, Error> {
    let Recipient { plane, call, .. } = *recipient;
    let input = task::get::Input { token: Some(token.to_owned()), ..task::get::Input::default() };
    match there(Box::pin(task::Get::run(plane, call, input)).await)? {
        None => task::of_run::get(plane, call, token).await,
        found => Ok(found),
    }
}

fn there<T>(found: Result<T, Error>) -> Result<Option<T>, Error> {
    match found {
        Err(error) if error.code == Code::NotFound => Ok(None),
        found => found.map(Some),
    }
}

/// What happened to a task since it was `before`.
pub fn changes(
    recipient: &Recipient<'_>,
    types: Types,
    before: Option<&TaskProgress>,
    task: &TaskStatus,
) -> Vec<Event> {
    let mut events = Vec::new();
    if types.has(Types::TASK) {
        events.extend(actions(before, task).iter().map(|action| lifecycle(recipient, action, task)));
    }
    if types.has(Types::DETAIL) {
        events.extend(details(recipient, before, task));
    }
    if types.has(Types::SUMMARY) {
        events.push(summary(recipient, task));
    }
    events
}

pub fn is_running(task: &TaskStatus) -> bool {
    task.ended_at.is_none()
}

/// Where a task stands, in a word or two.
pub fn stood(task: &TaskStatus) -> String {
    format!("{} {:?}", task.state, task.end)
}

/// What happened to a task as a whole. One that is met for the first time when it has ended began, too.
pub fn actions(before: Option<&TaskProgress>, now: &TaskStatus) -> &'static [&'static str] {
    match (before, is_running(now)) {
        (None, true) => &["begin"],
        (None, false) => &["begin", "end"],
        (Some(before), false) if before.is_running => &["end"],
        (Some(before), _) if before.restarts != now.restarts => &["restart"],
        (Some(_), _) => &[],
    }
}

fn lifecycle(recipient: &Recipient<'_>, action: &str, task: &TaskStatus) -> Event {
    let mut body = named(task);
    body["action"] = action.into();
    ("apaevt_task", stamped(recipient, task, body))
}

/// An event of a task that happens now: newer clients measure by its time, and put it to the task by its id.
fn stamped(recipient: &Recipient<'_>, task: &TaskStatus, mut body: Value) -> Value {
    body["__id"] = task.id.clone().into();
    body["eventTime"] = task_status::unix(recipient.plane.now()).into();
    body
}

fn named(task: &TaskStatus) -> Value {
    json!({"id": task.id, "name": task.name, "projectId": task.project, "source": task.source})
}

fn summary(recipient: &Recipient<'_>, task: &TaskStatus) -> Event {
    ("apaevt_status_update", stamped(recipient, task, task_status::of(task, recipient.plane.now())))
}

/// What a summary says, one by one: the object at hand, the counts, each new error, the state.
fn details(recipient: &Recipient<'_>, before: Option<&TaskProgress>, task: &TaskStatus) -> Vec<Event> {
    let status = task_status::of(task, recipient.plane.now());
    let mut details = Vec::new();
    let counted = before.map_or(Counts::default(), |before| before.counts);
    if counted.total_count != task.counts.total_count {
        details.push(("apaevt_status_object", json!({"object": task.current.0, "size": task.current.1})));
    }
    if counted != task.counts {
        let counts = COUNTS.map(|name| (name.to_owned(), status[name].clone()));
        details.push(("apaevt_status_counts", Value::Object(counts.into_iter().collect())));
    }
    let progress = before.map_or(0, |before| before.errors);
    let errors = task.errors.iter().skip(progress);
    details.extend(errors.map(|error| ("apaevt_status_error", json!({"message": error}))));
    if before.is_none_or(|before| before.stood != stood(task)) {
        details.push(("apaevt_status_state", json!({"state": status["state"], "status": status["status"]})));
    }
    let of_task = |(name, mut body): Event| {
        body["project_id"] = task.project.clone().into();
        body["source"] = task.source.clone().into();
        (name, stamped(recipient, task, body))
    };
    details.into_iter().map(of_task).collect()
}

/// What `apaevt_status_counts` has of a status.
const COUNTS: [&str; 10] = [
    "totalSize",
    "totalCount",
    "completedSize",
    "completedCount",
    "failedSize",
    "failedCount",
    "wordsSize",
    "wordsCount",
    "rateSize",
    "rateCount",
];

/// How much of a task's log there is.
pub async fn logged(recipient: &Recipient<'_>, task: &TaskStatus) -> Result<u32, Error> {
    if task.waits {
        return Ok(task.log_chunks);
    }
    run::logs::chunks(recipient.plane, &recipient.call.owner, &task.place, &RunId::parse(task.run.as_str())?).await
}

/// The lines that a task logged since its last event: those of a task that waits for objects are counted.
pub async fn output(recipient: &Recipient<'_>, progress: &mut u32, task: &TaskStatus) -> Result<Vec<Event>, Error> {
    if task.waits && task.log_chunks <= *progress {
        return Ok(Vec::new());
    }
    let run = RunId::parse(task.run.as_str())?;
    let input = run::logs::Input { run, project: None, deployment: Some(task.place.clone()), from: Some(*progress) };
    let Some(read) = there(run::Logs::run(recipient.plane, recipient.call, input).await)? else {
        return Ok(Vec::new());
    };
    *progress = read.next;
    let event = |line: Box<serde_json::value::RawValue>| {
        let line: Value = serde_json::from_str(line.get()).unwrap_or_default();
        let text = line["message"].as_str().unwrap_or_default();
        let category = if line["level"] == "error" { "stderr" } else { "stdout" };
        let body = json!({"category": category, "output": format!("{text}\n")});
        ("output", stamped(recipient, task, body))
    };
    Ok(read.items.into_iter().map(event).collect())
}

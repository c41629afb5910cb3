//! The events that a connection gets.
//!
//! They follow from the records of tasks, runs and environments, read anew each time, so every connection and every
//! process sends the same; only who is connected is each process's own.

mod dashboard;
mod deploys;
mod objects;
mod tasks;

pub use objects::message;

use super::connections::Connections;
use super::event_types::Types;
use super::monitors::{Tasks, WatchedTask, Watches};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::key::Scope;
use tidemill_model::task::Counts;
use tidemill_model::version::sha256;
use tidemill_operations::answer::TaskStatus;
use tidemill_operations::{Call, Error, Plane, access};

/// An event's name and body.
pub type Event = (&'static str, Value);

/// The caller that gets the events.
pub struct Recipient<'a> {
    pub plane: &'a Plane,
    pub call: &'a Call,
    pub connections: &'a Connections,
}

impl Recipient<'_> {
    /// The types of events that the caller may get.
    pub fn types(&self) -> Types {
        let has = |scope| access::authenticate::check(self.call, scope).is_ok();
        let monitor = if has(Scope::Monitor) { Types::ALL.without(Types::SSE) } else { Types::default() };
        monitor | if has(Scope::Data) { Types::SSE } else { Types::default() }
    }
}

/// How far a connection's events have come: only as much as the next ones follow from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// By their runs.
    tasks: BTreeMap<String, TaskProgress>,
    /// The last event of connections, which each process counts for itself.
    #[serde(skip)]
    connections: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deploys: Option<deploys::NoticeProgress>,
}

impl Progress {
    /// The progress of both, of which this one is the later.
    pub fn or(mut self, other: Progress) -> Progress {
        for (run, before) in other.tasks {
            let known = self.tasks.entry(run).or_insert_with(|| before.clone());
            known.logged = known.logged.or(before.logged);
            known.objects = known.objects.take().or(before.objects);
        }
        self.deploys = self.deploys.or(other.deploys);
        self
    }
}

/// How a task was at its last event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct TaskProgress {
    id: String,
    token: String,
    place: DeploymentId,
    source: String,
    is_running: bool,
    restarts: u32,
    #[serde(flatten)]
    counts: Counts,
    /// How many it had.
    errors: usize,
    /// Open, ending or ended, and how.
    stood: String,
    /// Of its whole status.
    sha256: String,
    /// Chunks of its log that were sent; `None` while they are not wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    logged: Option<u32>,
    /// Its objects that were sent; `None` while they are not wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    objects: Option<objects::Cursor>,
}

/// The events of the present state, for a new subscription.
pub async fn at_once(
    recipient: &Recipient<'_>,
    watches: &Watches,
    watched: &Tasks,
    new: Types,
    progress: &mut Progress,
) -> Result<Vec<Event>, Error> {
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let found = tasks::read(recipient, watched).await?;
    let events = tasks::at_once(recipient, watched, new, &found);
    for (run, task) in &found {
        // What happened before makes no events.
        let known = progress.tasks.entry(run.clone()).or_insert_with(|| TaskProgress::new(task));
        if known.logged.is_none() && watches.of_task(task).has(Types::OUTPUT) {
            known.logged = Some(tasks::logged(recipient, task).await?);
        }
        if known.objects.is_none() && !watches.of_objects(task).is_empty() {
            known.objects = Some(objects::Cursor::at_present(recipient, task).await?);
        }
    }
    let of_owner = new & watches.of_owner();
    if of_owner.has(Types::DASHBOARD) {
        progress.connections.get_or_insert_with(|| recipient.connections.now());
    }
    if of_owner.has(Types::DEPLOY) && progress.deploys.is_none() {
        progress.deploys = Some(deploys::NoticeProgress::at_present(recipient).await?);
    }
    Ok(events)
}

/// The events of what has changed. Each change is one event, however many watches it belongs to. `heard` are objects
/// whose messages went out already.
pub async fn changes(
    recipient: &Recipient<'_>,
    watches: &Watches,
    heard: &HashSet<u64>,
    progress: &mut Progress,
) -> Result<Vec<Event>, Error> {
    let of_owner = watches.of_owner();
    let mut events = Vec::new();
    let found = tasks::read_all(recipient, watches, progress).await?;
    let mut before = std::mem::take(&mut progress.tasks);
    for (run, task) in found {
        let known = before.remove(&run);
        let mut now = TaskProgress::new(&task);
        let types = watches.of_task(&task);
        if known.as_ref().is_none_or(|known| known.sha256 != now.sha256) {
            events.extend(tasks::changes(recipient, types, known.as_ref(), &task));
            if of_owner.has(Types::DASHBOARD) {
                events.extend(dashboard::of_task(recipient, known.as_ref(), &task));
            }
        }
        if types.has(Types::OUTPUT) {
            let mut logged = match known.as_ref().map(|known| known.logged) {
                None => 0,
                Some(Some(logged)) => logged,
                Some(None) => tasks::logged(recipient, &task).await?,
            };
            events.extend(tasks::output(recipient, &mut logged, &task).await?);
            now.logged = Some(logged);
        }
        if !watches.of_objects(&task).is_empty() {
            let mut cursor = match known.as_ref().map(|known| &known.objects) {
                None => objects::Cursor::default(),
                Some(Some(cursor)) => cursor.clone(),
                Some(None) => objects::Cursor::at_present(recipient, &task).await?,
            };
            events.extend(objects::changes(recipient, watches, &task, &mut cursor, heard).await?);
            now.objects = Some(cursor);
        }
        progress.tasks.insert(run, now);
    }
    if of_owner.has(Types::DASHBOARD) {
        events.extend(before.values().filter_map(|gone| dashboard::forgotten(recipient, gone)));
        let since = progress.connections.unwrap_or_else(|| recipient.connections.now());
        let (happened, now) = dashboard::of_connections(recipient, since);
        events.extend(happened);
        progress.connections = Some(now);
    } else {
        progress.connections = None;
    }
    match &mut progress.deploys {
        Some(known) if of_owner.has(Types::DEPLOY) => events.extend(known.changes(recipient).await?),
        deploys => *deploys = None,
    }
    Ok(events)
}

impl TaskProgress {
    fn new(task: &TaskStatus) -> TaskProgress {
        let all = serde_json::to_vec(&(task, task.log_chunks)).expect("a status can be written as JSON");
        TaskProgress {
            id: task.id.clone(),
            token: task.token.clone(),
            place: task.place.clone(),
            source: task.source.clone(),
            is_running: tasks::is_running(task),
            restarts: task.restarts,
            counts: task.counts,
            errors: task.errors.len(),
            stood: tasks::stood(task),
            sha256: sha256(&all),
            logged: None,
            objects: None,
        }
    }

    fn watched(&self) -> WatchedTask<'_> {
        WatchedTask { token: &self.token, place: &self.place, source: &self.source }
    }
}

//! What a connection is told of. The truth is read off the records of tasks, runs and environments each time, so every
//! connection and every process tells the same; only who is connected is each process's own.

mod dashboard;
mod deploys;
mod objects;
mod tasks;

pub use objects::message;

use super::connections::Connections;
use super::event_types::Types;
use super::monitors::{Named, Tasks, Watches};
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

/// Who is told.
pub struct Asker<'a> {
    pub plane: &'a Plane,
    pub call: &'a Call,
    pub connections: &'a Connections,
}

impl Asker<'_> {
    /// What the caller may be told.
    pub fn types(&self) -> Types {
        let has = |scope| access::authenticate::check(self.call, scope).is_ok();
        let monitor = if has(Scope::Monitor) { Types::ALL.without(Types::SSE) } else { Types::default() };
        monitor | if has(Scope::Data) { Types::SSE } else { Types::default() }
    }
}

/// What a connection was told already: as much as the next events follow from, so that it can be kept small.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// By their runs.
    tasks: BTreeMap<String, Known>,
    /// What happened to connections, which each process counts for itself.
    #[serde(skip)]
    connections: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deploys: Option<deploys::Known>,
}

impl Told {
    /// What was told by both, of which this one came later.
    pub fn or(mut self, other: Told) -> Told {
        for (run, before) in other.tasks {
            let known = self.tasks.entry(run).or_insert_with(|| before.clone());
            known.logged = known.logged.or(before.logged);
            known.objects = known.objects.take().or(before.objects);
        }
        self.deploys = self.deploys.or(other.deploys);
        self
    }
}

/// How a task was when it was told of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
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
    /// Of all that there was to be told.
    sha256: String,
    /// Chunks of its log that were told; `None` while nobody wants them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    logged: Option<u32>,
    /// Its objects that were told; `None` while nobody wants them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    objects: Option<objects::Cursor>,
}

/// What a new subscription is told at once: how things are.
pub async fn at_once(
    asker: &Asker<'_>,
    watches: &Watches,
    watched: &Tasks,
    new: Types,
    told: &mut Told,
) -> Result<Vec<Event>, Error> {
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let found = tasks::read(asker, watched).await?;
    let events = tasks::at_once(asker, watched, new, &found);
    for (run, task) in &found {
        // What happened before is not told.
        let known = told.tasks.entry(run.clone()).or_insert_with(|| Known::new(task));
        if known.logged.is_none() && watches.of_task(task).has(Types::OUTPUT) {
            known.logged = Some(tasks::logged(asker, task).await?);
        }
        if known.objects.is_none() && !watches.of_objects(task).is_empty() {
            known.objects = Some(objects::Cursor::at_present(asker, task).await?);
        }
    }
    let of_owner = new & watches.of_owner();
    if of_owner.has(Types::DASHBOARD) {
        told.connections.get_or_insert_with(|| asker.connections.now());
    }
    if of_owner.has(Types::DEPLOY) && told.deploys.is_none() {
        told.deploys = Some(deploys::Known::at_present(asker).await?);
    }
    Ok(events)
}

/// What has changed since it was told. Each change is told once, however many watches it is of. `heard` are objects whose
/// messages were told already.
pub async fn changes(
    asker: &Asker<'_>,
    watches: &Watches,
    heard: &HashSet<u64>,
    told: &mut Told,
) -> Result<Vec<Event>, Error> {
    let of_owner = watches.of_owner();
    let mut events = Vec::new();
    let found = tasks::read_all(asker, watches, told).await?;
    let mut before = std::mem::take(&mut told.tasks);
    for (run, task) in found {
        let known = before.remove(&run);
        let mut now = Known::new(&task);
        let types = watches.of_task(&task);
        if known.as_ref().is_none_or(|known| known.sha256 != now.sha256) {
            events.extend(tasks::changes(asker, types, known.as_ref(), &task));
            if of_owner.has(Types::DASHBOARD) {
                events.extend(dashboard::of_task(asker, known.as_ref(), &task));
            }
        }
        if types.has(Types::OUTPUT) {
            let mut logged = match known.as_ref().map(|known| known.logged) {
                None => 0,
                Some(Some(logged)) => logged,
                Some(None) => tasks::logged(asker, &task).await?,
            };
            events.extend(tasks::output(asker, &mut logged, &task).await?);
            now.logged = Some(logged);
        }
        if !watches.of_objects(&task).is_empty() {
            let mut cursor = match known.as_ref().map(|known| &known.objects) {
                None => objects::Cursor::default(),
                Some(Some(cursor)) => cursor.clone(),
                Some(None) => objects::Cursor::at_present(asker, &task).await?,
            };
            events.extend(objects::changes(asker, watches, &task, &mut cursor, heard).await?);
            now.objects = Some(cursor);
        }
        told.tasks.insert(run, now);
    }
    if of_owner.has(Types::DASHBOARD) {
        events.extend(before.values().filter_map(|gone| dashboard::forgotten(asker, gone)));
        let since = told.connections.unwrap_or_else(|| asker.connections.now());
        let (happened, now) = dashboard::of_connections(asker, since);
        events.extend(happened);
        told.connections = Some(now);
    } else {
        told.connections = None;
    }
    match &mut told.deploys {
        Some(known) if of_owner.has(Types::DEPLOY) => events.extend(known.changes(asker).await?),
        deploys => *deploys = None,
    }
    Ok(events)
}

impl Known {
    fn new(task: &TaskStatus) -> Known {
        let all = serde_json::to_vec(&(task, task.log_chunks)).expect("a status can be written as JSON");
        Known {
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

    fn named(&self) -> Named<'_> {
        Named { token: &self.token, place: &self.place, source: &self.source }
    }
}

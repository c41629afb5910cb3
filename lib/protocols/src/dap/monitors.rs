//! The events that a connection subscribed to: which ones of which tasks. [`super::events`] makes them.

use super::connections::Seat;
use super::event_types::Types;
use super::events::{self, Event, Progress, Recipient};
use futures::lock::Mutex as AsyncMutex;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::ids::{EnvironmentName, ProjectId};
use tidemill_operations::Error;
use tidemill_operations::answer::TaskStatus;

const UNPOISONED: &str = "no panic happens while it is held";
/// How many objects are remembered whose messages went out while they were sent here.
const HEARD: usize = 1024;

/// Whose events.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Watched {
    pub tasks: Tasks,
    /// One object of theirs.
    pub pipe: Option<u64>,
}

/// Which tasks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Tasks {
    /// Every task of the caller.
    All,
    Token(String),
    /// The tasks that serve a source, or any source of a project; they need not be there yet.
    Of {
        project: ProjectId,
        environment: Option<EnvironmentName>,
        source: Option<String>,
    },
}

/// What a task is watched by.
#[derive(Clone, Copy)]
pub struct WatchedTask<'a> {
    pub token: &'a str,
    /// The deployment that it runs for.
    pub place: &'a DeploymentId,
    pub source: &'a str,
}

impl<'a> From<&'a TaskStatus> for WatchedTask<'a> {
    fn from(task: &'a TaskStatus) -> WatchedTask<'a> {
        WatchedTask { token: &task.token, place: &task.place, source: &task.source }
    }
}

impl Tasks {
    /// Whether a task is among them.
    pub fn has(&self, task: WatchedTask<'_>) -> bool {
        match self {
            Tasks::All => true,
            Tasks::Token(token) => task.token == token,
            Tasks::Of { project, environment, source } => {
                let is_there = match (environment, task.place) {
                    (None, DeploymentId::Project(of)) => of == project,
                    (Some(wanted), DeploymentId::Source(of)) => of.project == *project && of.environment == *wanted,
                    _ => false,
                };
                is_there && source.as_ref().is_none_or(|source| task.source == *source)
            }
        }
    }
}

impl Watched {
    /// For people. A token is a credential, so it is not shown.
    fn label(&self) -> String {
        let tasks = match &self.tasks {
            Tasks::All => "*".to_owned(),
            Tasks::Token(_) => "token".to_owned(),
            Tasks::Of { project, environment, source } => {
                let environment = environment.as_ref().map(|name| format!("@{name}")).unwrap_or_default();
                format!("{project}{environment}.{}", source.as_deref().unwrap_or("*"))
            }
        };
        self.pipe.map_or(tasks.clone(), |pipe| format!("{tasks}.{pipe}"))
    }
}

/// What is watched, and which events of it.
#[derive(Clone, Debug, Default)]
pub struct Watches(BTreeMap<Watched, Types>);

impl Watches {
    /// Those that the caller may get.
    pub fn allowed(self, types: Types) -> Watches {
        let allowed = self.0.into_iter().map(|(watched, wanted)| (watched, wanted & types));
        Watches(allowed.filter(|(_, types)| !types.is_empty()).collect())
    }

    pub fn iter(&self) -> impl Iterator<Item = &Tasks> {
        self.0.keys().map(|watched| &watched.tasks)
    }

    /// The events that are wanted of a task as a whole.
    pub fn of_task<'a>(&self, task: impl Into<WatchedTask<'a>>) -> Types {
        self.of(task.into(), |pipe| pipe.is_none())
    }

    /// The events that are wanted of one object of a task.
    pub fn of_pipe<'a>(&self, task: impl Into<WatchedTask<'a>>, pipe: u64) -> Types {
        self.of(task.into(), |watched| watched.is_none_or(|watched| watched == pipe)) & Types::OF_OBJECTS
    }

    /// The events that are wanted of any object of a task.
    pub fn of_objects<'a>(&self, task: impl Into<WatchedTask<'a>>) -> Types {
        self.of(task.into(), |_| true) & Types::OF_OBJECTS
    }

    /// Whether any events are wanted of a task.
    pub fn wants(&self, task: WatchedTask<'_>) -> bool {
        !self.of_task(task).is_empty() || !self.of_objects(task).is_empty()
    }

    /// The events that are wanted beside those of tasks.
    pub fn of_owner(&self) -> Types {
        let all = Watched { tasks: Tasks::All, pipe: None };
        self.0.get(&all).copied().unwrap_or_default() & Types::OF_OWNER
    }

    fn of(&self, task: WatchedTask<'_>, is_meant: impl Fn(Option<u64>) -> bool) -> Types {
        let meant = self.0.iter().filter(|(watched, _)| is_meant(watched.pipe) && watched.tasks.has(task));
        meant.fold(Types::default(), |all, (_, types)| all | *types)
    }

    /// Whether the messages of just this object are wanted.
    fn hears(&self, pipe: u64) -> bool {
        self.0.iter().any(|(watched, types)| watched.pipe == Some(pipe) && types.has(Types::SSE))
    }

    /// A label and the names of its events, of each.
    fn shown(&self) -> BTreeMap<String, Vec<&'static str>> {
        self.0.iter().map(|(watched, types)| (watched.label(), types.names())).collect()
    }
}

/// Monitors that are kept elsewhere between two frames.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonitorState {
    pub watches: Vec<(Watched, Types)>,
    #[serde(rename = "told")]
    progress: Progress,
}

impl MonitorState {
    /// As it is stored: empty if nothing is watched.
    pub fn text(&self) -> String {
        match self.watches.as_slice() {
            [] => String::new(),
            _ => serde_json::to_string(self).expect("names, numbers and hashes can be written as JSON"),
        }
    }

    /// The same watches, after `sent` was sent of them.
    pub fn after(self, sent: &MonitorState) -> MonitorState {
        MonitorState { progress: sent.progress.clone().or(self.progress), ..self }
    }
}

/// The monitors of a connection.
pub struct Monitors {
    seat: Arc<Seat>,
    watches: Mutex<Watches>,
    heard: Mutex<VecDeque<u64>>,
    progress: AsyncMutex<Progress>,
}

impl Monitors {
    pub fn new(seat: Arc<Seat>) -> Monitors {
        Monitors { seat, watches: Mutex::default(), heard: Mutex::default(), progress: AsyncMutex::default() }
    }

    /// Subscribes to events of some tasks; no types at all end it. Gives the types that are new.
    pub fn set(&self, watched: Watched, types: Types) -> Types {
        let mut watches = self.watches();
        let before = match types.is_empty() {
            true => watches.0.remove(&watched),
            false => watches.0.insert(watched, types),
        };
        self.seat.monitors(watches.shown());
        types.without(before.unwrap_or_default())
    }

    /// The monitors that were kept elsewhere.
    pub fn of(seat: Arc<Seat>, kept: MonitorState) -> Monitors {
        let watches = Watches(kept.watches.into_iter().collect());
        seat.monitors(watches.shown());
        Monitors {
            seat,
            watches: Mutex::new(watches),
            heard: Mutex::default(),
            progress: AsyncMutex::new(kept.progress),
        }
    }

    /// What is to be kept: nothing where nothing is watched.
    pub async fn kept(&self) -> MonitorState {
        if self.is_empty() {
            return MonitorState::default();
        }
        let progress = self.progress.lock().await.clone();
        MonitorState { watches: self.watches().0.clone().into_iter().collect(), progress }
    }

    pub fn is_empty(&self) -> bool {
        self.watches().0.is_empty()
    }

    pub fn forget(&self) {
        *self.watches() = Watches::default();
        self.seat.monitors(BTreeMap::new());
    }

    /// Whether the messages of an object go out at once, while it is being sent here.
    pub fn hears(&self, pipe: u64) -> bool {
        self.watches().hears(pipe)
    }

    /// Notes that an object's messages went out at once, so that they are not read again from its record.
    pub fn heard(&self, pipe: u64) {
        let mut heard = self.heard.lock().expect(UNPOISONED);
        if heard.len() == HEARD {
            heard.pop_front();
        }
        heard.push_back(pipe);
    }

    /// The events of the present state, for a new subscription.
    pub async fn at_once(&self, recipient: &Recipient<'_>, watched: &Watched, new: Types) -> Result<Vec<Event>, Error> {
        let mut progress = self.progress.lock().await;
        let watches = self.watches().clone().allowed(recipient.types());
        events::at_once(recipient, &watches, &watched.tasks, new & recipient.types(), &mut progress).await
    }

    /// The events of what has changed since the last call. A call during another one gives none.
    pub async fn changes(&self, recipient: &Recipient<'_>) -> Result<Vec<Event>, Error> {
        let Some(mut known) = self.progress.try_lock() else { return Ok(Vec::new()) };
        // After an error, the next call sends what this one could not.
        let mut progress = known.clone();
        let watches = self.watches().clone().allowed(recipient.types());
        let heard = self.heard.lock().expect(UNPOISONED).iter().copied().collect();
        let changes = events::changes(recipient, &watches, &heard, &mut progress).await?;
        *known = progress;
        Ok(changes)
    }

    fn watches(&self) -> MutexGuard<'_, Watches> {
        self.watches.lock().expect(UNPOISONED)
    }
}

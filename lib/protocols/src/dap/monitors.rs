//! What a connection wants to be told of: which events of which tasks. What it is told, and was told already, is of
//! [`super::events`].

use super::connections::Seat;
use super::event_types::Types;
use super::events::{self, Asker, Event, Told};
use futures::lock::Mutex as Turns;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::ids::{EnvironmentName, ProjectId};
use tidemill_operations::Error;
use tidemill_operations::answer::TaskStatus;

const UNPOISONED: &str = "nobody panics while holding it";
/// Objects whose messages were told while they were sent here, that are remembered.
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
pub struct Named<'a> {
    pub token: &'a str,
    /// The deployment that it runs for.
    pub place: &'a DeploymentId,
    pub source: &'a str,
}

impl<'a> From<&'a TaskStatus> for Named<'a> {
    fn from(task: &'a TaskStatus) -> Named<'a> {
        Named { token: &task.token, place: &task.place, source: &task.source }
    }
}

impl Tasks {
    /// Whether a task is among them.
    pub fn has(&self, task: Named<'_>) -> bool {
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
    /// As far as it may be told.
    pub fn allowed(self, types: Types) -> Watches {
        let allowed = self.0.into_iter().map(|(watched, wanted)| (watched, wanted & types));
        Watches(allowed.filter(|(_, types)| !types.is_empty()).collect())
    }

    pub fn iter(&self) -> impl Iterator<Item = &Tasks> {
        self.0.keys().map(|watched| &watched.tasks)
    }

    /// The events that are wanted of a task as a whole.
    pub fn of_task<'a>(&self, task: impl Into<Named<'a>>) -> Types {
        self.of(task.into(), |pipe| pipe.is_none())
    }

    /// The events that are wanted of one object of a task.
    pub fn of_pipe<'a>(&self, task: impl Into<Named<'a>>, pipe: u64) -> Types {
        self.of(task.into(), |watched| watched.is_none_or(|watched| watched == pipe)) & Types::OF_OBJECTS
    }

    /// The events that are wanted of any object of a task.
    pub fn of_objects<'a>(&self, task: impl Into<Named<'a>>) -> Types {
        self.of(task.into(), |_| true) & Types::OF_OBJECTS
    }

    /// Whether any events are wanted of a task.
    pub fn wants(&self, task: Named<'_>) -> bool {
        !self.of_task(task).is_empty() || !self.of_objects(task).is_empty()
    }

    /// The events that are wanted beside those of tasks.
    pub fn of_owner(&self) -> Types {
        let all = Watched { tasks: Tasks::All, pipe: None };
        self.0.get(&all).copied().unwrap_or_default() & Types::OF_OWNER
    }

    fn of(&self, task: Named<'_>, is_meant: impl Fn(Option<u64>) -> bool) -> Types {
        let meant = self.0.iter().filter(|(watched, _)| is_meant(watched.pipe) && watched.tasks.has(task));
        meant.fold(Types::default(), |all, (_, types)| all | *types)
    }

    /// Whether somebody wants the messages of just this object.
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
pub struct Kept {
    pub watches: Vec<(Watched, Types)>,
    told: Told,
}

impl Kept {
    /// The same watches, of which somebody else has told meanwhile.
    pub fn after(self, told: &Kept) -> Kept {
        Kept { told: told.told.clone().or(self.told), ..self }
    }
}

/// The monitors of a connection.
pub struct Monitors {
    seat: Arc<Seat>,
    watches: Mutex<Watches>,
    heard: Mutex<VecDeque<u64>>,
    told: Turns<Told>,
}

impl Monitors {
    pub fn new(seat: Arc<Seat>) -> Monitors {
        Monitors { seat, watches: Mutex::default(), heard: Mutex::default(), told: Turns::default() }
    }

    /// Sets what is told of some tasks; nothing ends it. Gives what was not told before.
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
    pub fn of(seat: Arc<Seat>, kept: Kept) -> Monitors {
        let watches = Watches(kept.watches.into_iter().collect());
        seat.monitors(watches.shown());
        Monitors { seat, watches: Mutex::new(watches), heard: Mutex::default(), told: Turns::new(kept.told) }
    }

    /// What is to be kept: nothing where nothing is watched.
    pub async fn kept(&self) -> Kept {
        if self.is_empty() {
            return Kept::default();
        }
        let told = self.told.lock().await.clone();
        Kept { watches: self.watches().0.clone().into_iter().collect(), told }
    }

    pub fn is_empty(&self) -> bool {
        self.watches().0.is_empty()
    }

    pub fn forget(&self) {
        *self.watches() = Watches::default();
        self.seat.monitors(BTreeMap::new());
    }

    /// Whether the messages of an object are told at once, while it is being sent here.
    pub fn hears(&self, pipe: u64) -> bool {
        self.watches().hears(pipe)
    }

    /// Notes that an object's messages are told at once, so that its record does not tell them again.
    pub fn heard(&self, pipe: u64) {
        let mut heard = self.heard.lock().expect(UNPOISONED);
        if heard.len() == HEARD {
            heard.pop_front();
        }
        heard.push_back(pipe);
    }

    /// What a new subscription is told at once.
    pub async fn at_once(&self, asker: &Asker<'_>, watched: &Watched, new: Types) -> Result<Vec<Event>, Error> {
        let mut told = self.told.lock().await;
        let watches = self.watches().clone().allowed(asker.types());
        events::at_once(asker, &watches, &watched.tasks, new & asker.types(), &mut told).await
    }

    /// What has changed since it was told last. Called again before it is done, it tells nothing.
    pub async fn changes(&self, asker: &Asker<'_>) -> Result<Vec<Event>, Error> {
        let Some(mut known) = self.told.try_lock() else { return Ok(Vec::new()) };
        // What could not be told for an error is told the next time.
        let mut told = known.clone();
        let watches = self.watches().clone().allowed(asker.types());
        let heard = self.heard.lock().expect(UNPOISONED).iter().copied().collect();
        let changes = events::changes(asker, &watches, &heard, &mut told).await?;
        *known = told;
        Ok(changes)
    }

    fn watches(&self) -> MutexGuard<'_, Watches> {
        self.watches.lock().expect(UNPOISONED)
    }
}

//! What a connection wants to be told of, and what it was told already. The truth is read off the tasks' own records each
//! time, so every connection and every process tells the same.

use super::commands::monitor::events;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};
use tidemill_model::ids::ProjectId;
use tidemill_model::version::sha256;
use tidemill_operations::answer::TaskStatus;
use tidemill_operations::{Call, Error, Plane};

/// The kinds of events, as bits. Those that no component of ours gives are taken and never told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Types(pub u32);

impl Types {
    pub const SUMMARY: Types = Types(4);
    pub const OUTPUT: Types = Types(8);
    pub const TASK: Types = Types(32);

    const NAMES: [(&'static str, u32); 10] = [
        ("debugger", 1),
        ("detail", 2),
        ("summary", 4),
        ("output", 8),
        ("flow", 16),
        ("task", 32),
        ("sse", 64),
        ("dashboard", 128),
        ("billing", 256),
        ("deploy", 512),
    ];

    /// The bit of a name in any case; an unknown one has none.
    pub fn named(name: &str) -> Types {
        let found = Types::NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        Types(found.map_or(0, |(_, bit)| *bit))
    }

    pub fn has(self, other: Types) -> bool {
        self.0 & other.0 != 0
    }

    /// Those that are in this one and not in `before`.
    pub fn new_since(self, before: Types) -> Types {
        Types(self.0 & !before.0)
    }

    /// The names, for people.
    pub fn names(self) -> Vec<&'static str> {
        Types::NAMES.iter().filter(|(_, bit)| self.0 & bit != 0).map(|(name, _)| *name).collect()
    }
}

/// Which tasks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Watched {
    /// Every task of the caller.
    All,
    Token(String),
    /// The task that serves a source; it need not be there yet.
    Source(ProjectId, String),
}

/// The monitors of a connection.
#[derive(Default)]
pub struct Monitors {
    state: Mutex<BTreeMap<Watched, Watch>>,
    telling: AtomicBool,
}

/// What is told of some tasks, and how they were when that was told last.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    pub types: Types,
    /// By their runs.
    pub last: BTreeMap<String, Told>,
}

/// How a task was when it was told of last: as much as the next events follow from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub token: String,
    pub is_running: bool,
    pub restarts: u32,
    pub log_chunks: u32,
    /// Of all that there was to be told.
    sha256: String,
}

impl From<&TaskStatus> for Told {
    fn from(task: &TaskStatus) -> Told {
        let all = serde_json::to_vec(&(task, task.log_chunks)).expect("a status can be written as JSON");
        Told {
            token: task.token.clone(),
            is_running: task.ended_at.is_none(),
            restarts: task.restarts,
            log_chunks: task.log_chunks,
            sha256: sha256(&all),
        }
    }
}

impl Monitors {
    /// Sets what is told of some tasks; nothing ends it. Gives what was told before.
    pub fn set(&self, watched: Watched, types: Types) -> Types {
        let mut state = self.state();
        let before = state.get(&watched).map_or(Types::default(), |watch| watch.types);
        match types {
            Types(0) => drop(state.remove(&watched)),
            types => state.entry(watched).or_default().types = types,
        }
        before
    }

    /// Notes how tasks were when they were told of, unless the monitor is gone.
    pub fn told(&self, watched: &Watched, last: BTreeMap<String, Told>) {
        if let Some(watch) = self.state().get_mut(watched) {
            watch.last = last;
        }
    }

    pub fn is_empty(&self) -> bool {
        self.state().is_empty()
    }

    /// A label and the names of the types of each monitor.
    pub fn shown(&self) -> Vec<(String, Vec<&'static str>)> {
        let label = |watched: &Watched| match watched {
            Watched::All => "*".to_owned(),
            Watched::Token(_) => "token".to_owned(),
            Watched::Source(project, source) => format!("{project}.{source}"),
        };
        self.state().iter().map(|(watched, watch)| (label(watched), watch.types.names())).collect()
    }

    pub fn forget(&self) {
        self.state().clear();
    }

    /// Tells what has changed since it was told last, as events: name and body each. Called again before it is done, it
    /// tells nothing.
    pub async fn changes(&self, plane: &Plane, call: &Call) -> Result<Vec<(&'static str, Value)>, Error> {
        if self.telling.swap(true, Ordering::AcqRel) {
            return Ok(Vec::new());
        }
        let watches = self.state().clone();
        let mut changes = Vec::new();
        let mut outcome = Ok(());
        for (watched, watch) in watches {
            match events::changes(plane, call, &watched, &watch).await {
                Ok((found, last)) => {
                    changes.extend(found);
                    self.told(&watched, last);
                }
                Err(error) => outcome = Err(error),
            }
        }
        self.telling.store(false, Ordering::Release);
        outcome.map(|()| changes)
    }

    fn state(&self) -> MutexGuard<'_, BTreeMap<Watched, Watch>> {
        self.state.lock().expect("nobody panics while holding it")
    }
}

//! What all processes of a simulation share: the table, true time, chance, the trace, and whether there is trouble.

use super::chance::Chance;
use super::clock::Time;
use super::day::Day;
use super::mirror::{Mirror, Place};
use super::{OWNER, step, wrong::Mistake};
use dynoxide::Database;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use tidemill_local::table;
use tidemill_local::timers::LocalTimers;
use tidemill_model::calendar::Calendar;
use tidemill_model::ids::OwnerId;
use tidemill_model::task::OPEN_LIMIT;
use tidemill_store::keys::{self, Key};

/// Tasks that are open from the start on days that are about tasks: two more may be opened.
pub const OPEN_ELSEWHERE: u32 = OPEN_LIMIT - 2;

/// The world around the processes.
pub struct World {
    pub database: Database,
    pub time: Time,
    pub chance: Chance,
    pub mistake: Option<Mistake>,
    pub day: Day,
    /// One process at a time works on the table, and holds timers and bells in memory, as on a laptop.
    pub is_laptop: bool,
    is_calm: AtomicBool,
    state: Mutex<State>,
}

/// What changes.
#[derive(Default)]
pub struct State {
    pub mirror: Mirror,
    trace: Vec<String>,
    /// The first thing that did not hold.
    violation: Option<String>,
    timers: Option<Arc<LocalTimers>>,
    conditions: BTreeSet<String>,
    decided: BTreeMap<String, usize>,
    calls: usize,
}

/// What is left of a simulation.
pub struct Remains {
    pub trace: Vec<String>,
    pub violation: Option<String>,
    pub conditions: BTreeSet<String>,
    pub decided: BTreeMap<String, usize>,
    pub calls: usize,
}

impl World {
    pub fn new(seed: u64, mistake: Option<Mistake>) -> World {
        let chance = Chance::of(seed);
        World {
            database: Database::memory().expect("a table in memory can be made"),
            time: Time::start(),
            is_laptop: chance.is(250),
            chance,
            mistake,
            day: Day::of(seed),
            is_calm: AtomicBool::new(false),
            state: Mutex::default(),
        }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Whether faults are over.
    pub fn is_calm(&self) -> bool {
        self.is_calm.load(Ordering::Relaxed)
    }

    pub fn calm_down(&self) {
        self.is_calm.store(true, Ordering::Relaxed);
        self.say("world", "the trouble is over");
    }

    /// Whether a fault happens that does so this often in a thousand times while there is trouble.
    pub fn fails(&self, in_thousand: u64) -> bool {
        !self.is_calm() && self.chance.is(in_thousand)
    }

    /// Adds a line to the trace.
    pub fn say(&self, who: impl Display, what: impl Display) {
        let line = format!("{} {who}: {what}", self.time.now());
        self.state().trace.push(line);
    }

    /// Notes what does not hold. Only the first counts: what follows may follow from it.
    pub fn violated(&self, what: String) {
        self.say("VIOLATED", &what);
        self.state().violation.get_or_insert(what);
    }

    pub fn is_violated(&self) -> bool {
        self.state().violation.is_some()
    }

    /// Takes over what a call wrote, and checks what must hold of it.
    pub fn written(&self, places: Vec<Place>) {
        let mut state = self.state();
        let changes = state.mirror.follow(&self.database, places);
        let now = self.time.now();
        let look = step::Look { mirror: &state.mirror, now, is_laptop: self.is_laptop };
        let wrong = changes.iter().find_map(|change| step::check(&look, change).err());
        drop(state);
        if let Some(wrong) = wrong {
            self.violated(wrong);
        }
    }

    /// Lets most of the tasks that an owner may open be open already; no record of them is there.
    pub fn open_tasks_elsewhere(&self) {
        let owner = OwnerId::parse(OWNER).expect("the name is well formed");
        let Key { partition, sort } = keys::open_tasks(&owner);
        let open = OPEN_ELSEWHERE.to_string();
        let item = json!({"pk": {"S": partition}, "sk": {"S": sort}, "open": {"N": open}});
        let asked = json!({"TableName": table::TABLE, "Item": item});
        let (status, answer) = table::answer(&self.database, "PutItem", asked.to_string().as_bytes());
        assert_eq!(status, 200, "{answer}");
        self.written(vec![(partition, sort)]);
    }

    pub fn count(&self, conditions: impl IntoIterator<Item = String>) {
        let mut state = self.state();
        state.calls += 1;
        state.conditions.extend(conditions);
    }

    /// Counts a write that one condition alone refused.
    pub fn decided(&self, condition: &str) {
        *self.state().decided.entry(condition.to_owned()).or_default() += 1;
    }

    /// The timers: in the cloud one service has them, on a laptop they go with the process.
    pub fn timers(&self) -> Arc<LocalTimers> {
        let mut state = self.state();
        state.timers.get_or_insert_with(|| Arc::new(LocalTimers::new(Calendar::default()))).clone()
    }

    pub fn forget_timers(&self) {
        self.state().timers = None;
    }

    pub fn remains(&self) -> Remains {
        let mut state = self.state();
        Remains {
            trace: std::mem::take(&mut state.trace),
            violation: state.violation.take(),
            conditions: std::mem::take(&mut state.conditions),
            decided: std::mem::take(&mut state.decided),
            calls: state.calls,
        }
    }
}

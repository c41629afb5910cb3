//! The rules of ticks and runs, checked in every order: two workers, one of which may die, users who pause, resume, update, remove,
//! add and promote, and bells that may ring at any moment, twice or never.
//!
//! What is decided comes from `tidemill_model`, as in the plane; [`table`] has the conditions of `tidemill_store`. Each step is one read
//! or one conditional write, so the checker sees every interleaving of the writes of two processes. I13 is not here: nothing counts faults
//! in a row yet.

mod records;
mod rules;
mod table;
mod worker;
mod write;

use rules::PROPERTIES;
use stateright::{Checker, HasDiscoveries, Model, Property};
use table::Table;
use worker::{Change, Work};

/// Minutes that pass; each is due.
const MINUTES: u8 = 2;
/// Runs that come into being at most; further ones bring no new kind of meeting.
const RUNS: usize = 2;
const WORKERS: usize = 2;

/// Everything there is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub now: u8,
    pub table: Table,
    pub workers: [Work; WORKERS],
    /// What may still happen.
    crashes: u8,
    changes: u8,
    /// What did not hold of a write.
    pub wrong: Option<&'static str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    MinutePasses,
    /// A worker reads what a bell or a caller asks for.
    HearTick(usize),
    HearRun(usize, u8),
    Asked(usize, Change),
    /// A worker writes what it decided.
    Write(usize),
    /// It writes a tick's outcome, and goes on with the run that it makes.
    WriteHere(usize),
    /// A worker ends the run that it holds.
    End(usize),
    Crash(usize),
}

/// A mistake that is made on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    RevisionIgnored,
    EpochIgnored,
    LeaseIgnored,
    RenewalIgnored,
    TurnIgnored,
    TicksForgotten,
    VersionReused,
    PointerUnconditional,
    RecordIgnored,
    CarriedForgotten,
}

/// The model, right or with one mistake.
pub struct Rules {
    pub mistake: Option<Mistake>,
    changes: u8,
}

impl Rules {
    fn makes(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }
}

impl Model for Rules {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let workers = [const { Work::Idle }; WORKERS];
        vec![State {
            now: 0,
            table: Table::with_one_deployment(),
            workers,
            crashes: 1,
            changes: self.changes,
            wrong: None,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.now < MINUTES {
            actions.push(Action::MinutePasses);
        }
        for (worker, work) in state.workers.iter().enumerate() {
            match work {
                Work::Idle => self.begin(state, worker, actions),
                Work::Running { .. } => actions.extend([Action::Write(worker), Action::End(worker)]),
                Work::Tick { .. } => actions.extend([Action::Write(worker), Action::WriteHere(worker)]),
                _ => actions.push(Action::Write(worker)),
            }
            if state.crashes > 0 && *work != Work::Idle {
                actions.push(Action::Crash(worker));
            }
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::MinutePasses => state.now += 1,
            Action::HearTick(worker) => state.workers[worker] = Work::tick(&state),
            Action::HearRun(worker, run) => state.workers[worker] = Work::claim(self, &state, worker, run)?,
            Action::Asked(worker, change) => {
                state.changes -= 1;
                state.workers[worker] = Work::change(&state, change);
            }
            Action::Write(worker) => state.write(self, worker),
            Action::WriteHere(worker) => state.write_tick_here(self, worker),
            Action::End(worker) => state.end_run(self, worker),
            Action::Crash(worker) => {
                state.crashes -= 1;
                state.workers[worker] = Work::Idle;
            }
        }
        Some(state).filter(|state| state != last)
    }

    fn properties(&self) -> Vec<Property<Rules>> {
        let always = PROPERTIES.map(|(name, holds)| Property::always(name, holds));
        always
            .into_iter()
            .chain([Property::sometimes("a run succeeds", |_, state: &State| state.table.has_success())])
            .collect()
    }
}

impl Rules {
    fn begin(&self, state: &State, worker: usize, actions: &mut Vec<Action>) {
        if state.table.is_due(state.now) && state.table.runs.len() < RUNS {
            actions.push(Action::HearTick(worker));
        }
        actions.extend((0..state.table.runs.len() as u8).map(|run| Action::HearRun(worker, run)));
        if state.changes > 0 {
            actions.extend(Change::ALL.map(|change| Action::Asked(worker, change)));
        }
    }
}

/// Looks at every state that can be reached, and gives the properties that do not hold with the way there.
fn checked(mistake: Option<Mistake>, changes: u8) -> (usize, Vec<(&'static str, String)>) {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let until = if mistake.is_some() { HasDiscoveries::AnyFailures } else { HasDiscoveries::AllFailures };
    let checker = Rules { mistake, changes }.checker().threads(threads).finish_when(until).spawn_bfs().join();
    let found = checker.discoveries().into_iter().filter(|(name, _)| *name != "a run succeeds");
    let found = found.map(|(name, path)| (name, format!("{:#?}", path.into_actions()))).collect();
    (checker.unique_state_count(), found)
}

#[test]
fn in_every_order_what_must_hold_holds() {
    let (states, found) = checked(None, 2);

    assert_eq!(found, [], "after {states} states");
    assert!(states > 10_000, "only {states} states were reached");
}

#[test]
fn each_mistake_is_caught() {
    use Mistake::*;
    let mistakes = [
        RevisionIgnored,
        EpochIgnored,
        LeaseIgnored,
        RenewalIgnored,
        TurnIgnored,
        TicksForgotten,
        VersionReused,
        PointerUnconditional,
        RecordIgnored,
        CarriedForgotten,
    ];

    let missed: Vec<_> = mistakes.into_iter().filter(|mistake| checked(Some(*mistake), 2).1.is_empty()).collect();

    assert_eq!(missed, []);
}

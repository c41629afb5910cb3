//! The world at an instant, and everything that may happen next in it.

use crate::process::{Bell, Job, Operation, Phase, Process, Turn};
use crate::properties;
use crate::table::Table;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use stateright::{Model, Path, Property};
use std::collections::BTreeSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use tidemill_model::calendar::Calendar;
use tidemill_model::deployment::Deployment;
use tidemill_model::ids::{HookId, KeyId, RunId};
use tidemill_model::run::{Run, State};
use tidemill_model::schedule::Schedule;
use tidemill_model::tick::Due;

pub const WORKERS: usize = 2;
/// Objects that a run has at most: one save, and the end.
const OBJECTS: u64 = 2;

/// A condition that is left out, or a part that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    AddWithoutAbsence,
    TickWithoutRevision,
    ChangeWithoutRevision,
    TurnWithoutRevision,
    WriteWithoutEpoch,
    WriteWithoutLease,
    NoSweep,
}

impl Wrong {
    pub const ALL: [Wrong; 7] = [
        Wrong::AddWithoutAbsence,
        Wrong::TickWithoutRevision,
        Wrong::ChangeWithoutRevision,
        Wrong::TurnWithoutRevision,
        Wrong::WriteWithoutEpoch,
        Wrong::WriteWithoutLease,
        Wrong::NoSweep,
    ];
}

/// One project that callers act on while minutes become due.
pub struct Project {
    pub operations: &'static [Operation],
    pub minutes: i64,
    /// Deaths of a process, at any instant.
    pub crashes: u8,
    pub wrong: Option<Wrong>,
}

#[derive(Clone, Debug, PartialEq, Hash)]
pub struct World {
    pub table: Table,
    pub bells: BTreeSet<Bell>,
    /// The workers, then the callers.
    pub processes: Vec<Process>,
    pub minute: i64,
    pub crashes: u8,
}

/// Something that may happen.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A minute becomes due, and its timer rings.
    Minute,
    /// A worker takes a bell.
    Take(usize, Bell),
    /// A process makes its next call of the table.
    Next(usize),
    Save(usize),
    End(usize),
    /// A process dies; the bell in its hand is lost with it, or rings again.
    Crash(usize, IsBellLost),
    /// The lease of a run is over before its holder renews it.
    LeaseEnds(RunId),
    Sweep,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IsBellLost {
    Lost,
    Kept,
}

/// An instant so many seconds after the first minute.
pub fn at(second: i64) -> Timestamp {
    let noon: Timestamp = "2026-11-21T12:00:00Z".parse().expect("a timestamp");
    noon + SignedDuration::from_secs(second)
}

pub fn run_id(number: usize) -> RunId {
    RunId::new(at(0), number as u128 + 1)
}

pub fn deployment(now: Timestamp) -> Deployment {
    serde_json::from_value(json!({
        "owner": "ana", "project": "p", "state": { "is": "active" },
        "schedule": Schedule::parse("* * * * *").expect("a schedule"), "ticked_until": now,
        "version": 1, "last_version": 1, "hook": HookId::new(1), "key": KeyId::new(at(0), 1),
        "settings": { "catch_up_seconds": 3600, "max_attempts": 3, "timeout_seconds": 60 },
        "revision": 1, "created_at": at(0), "updated_at": at(0),
    }))
    .expect("a deployment")
}

impl World {
    pub fn now(&self) -> Timestamp {
        at(60 * self.minute)
    }

    /// Workers have no names, so two worlds that differ in which of them does what are one.
    fn order_workers(&mut self) {
        self.processes[..WORKERS]
            .sort_by_cached_key(|process| BuildHasherDefault::<DefaultHasher>::default().hash_one(process));
    }

    pub fn ring(&mut self, bell: Bell) {
        self.bells.insert(bell);
    }

    /// A run that no worker holds.
    pub fn claimable(&self, id: &RunId) -> Option<Run> {
        let row = self.table.rows.iter().find(|row| row.run.id == *id)?;
        let is_held = row.run.lease.is_some() && !row.is_lease_over;
        (!row.run.state.is_final() && !is_held).then(|| row.run.clone())
    }

    pub fn ring_released(&mut self) {
        for row in self.table.rows.iter().filter(|row| row.run.state == State::Queued) {
            self.bells.insert(Bell::Run(row.run.id.clone()));
        }
    }

    fn is_in_hand(&self, bell: &Bell) -> bool {
        let in_hand = |process: &Process| process.job == Some(Job::Answer(bell.clone()));
        self.bells.contains(bell) || self.processes.iter().any(in_hand)
    }

    /// The bells that a sweep rings: those of what is open, and in no hand.
    pub fn lost_bells(&self) -> Vec<Bell> {
        let Some(head) = &self.table.head else { return Vec::new() };
        let is_due = head.due_schedule().is_some() && Due::of(&Calendar::default(), head, self.now()).is_some();
        let open = self.table.rows.iter().filter_map(|row| self.claimable(&row.run.id));
        let runs =
            open.filter(|run| run.state != State::Queued || !head.state.holds_runs()).map(|run| Bell::Run(run.id));
        let bells = is_due.then_some(Bell::Tick).into_iter().chain(runs);
        bells.filter(|bell| !self.is_in_hand(bell)).collect()
    }
}

impl Model for Project {
    type State = World;
    type Action = Event;

    fn init_states(&self) -> Vec<World> {
        let callers = self.operations.iter().map(|operation| match operation {
            Operation::Update | Operation::Rollback => Process::at_work(Job::TickBefore(*operation)),
            _ => Process::at_work(Job::Do(*operation)),
        });
        let is_added_here = self.operations.contains(&Operation::Add);
        let table = match is_added_here {
            true => Table::default(),
            false => Table { head: Some(deployment(at(0))), versions: vec![1], ..Table::default() },
        };
        let workers = std::iter::repeat_n(Process::idle(), WORKERS);
        let processes = workers.chain(callers).collect();
        vec![World { table, bells: BTreeSet::new(), processes, minute: 0, crashes: 0 }]
    }

    fn actions(&self, world: &World, events: &mut Vec<Event>) {
        if world.minute < self.minutes {
            events.push(Event::Minute);
        }
        for (number, process) in world.processes.iter().enumerate() {
            match (&process.job, &process.phase) {
                (None, _) if number < WORKERS => {
                    events.extend(world.bells.iter().map(|bell| Event::Take(number, bell.clone())));
                }
                (None, _) => continue,
                (Some(_), Phase::Working(run)) => {
                    events.push(Event::End(number));
                    if run.objects + 1 < OBJECTS {
                        events.push(Event::Save(number));
                    }
                }
                (Some(_), _) => events.push(Event::Next(number)),
            }
            if process.job.is_some() && world.crashes < self.crashes {
                events.extend([Event::Crash(number, IsBellLost::Lost), Event::Crash(number, IsBellLost::Kept)]);
            }
        }
        let held = world.table.rows.iter().filter(|row| row.run.lease.is_some() && !row.is_lease_over);
        events.extend(held.map(|row| Event::LeaseEnds(row.run.id.clone())));
        if self.wrong != Some(Wrong::NoSweep) && !world.lost_bells().is_empty() {
            events.push(Event::Sweep);
        }
    }

    fn next_state(&self, before: &World, event: Event) -> Option<World> {
        let mut world = before.clone();
        match event {
            Event::Minute => {
                world.minute += 1;
                world.ring(Bell::Tick);
            }
            Event::Take(number, bell) => {
                world.bells.remove(&bell);
                world.processes[number] = Process::at_work(Job::Answer(bell));
            }
            Event::Next(number) => Turn { project: self, world: &mut world, number }.next(),
            Event::Save(number) => Turn { project: self, world: &mut world, number }.save(false),
            Event::End(number) => Turn { project: self, world: &mut world, number }.save(true),
            Event::Crash(number, is_lost) => {
                world.crashes += 1;
                let process = std::mem::replace(&mut world.processes[number], Process::idle());
                if let (Some(Job::Answer(bell)), IsBellLost::Kept) = (process.job, is_lost) {
                    world.ring(bell);
                }
            }
            Event::LeaseEnds(run) => {
                let row = world.table.rows.iter_mut().find(|row| row.run.id == run)?;
                row.is_lease_over = true;
            }
            Event::Sweep => world.lost_bells().into_iter().for_each(|bell| world.ring(bell)),
        }
        world.order_workers();
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}

/// The events that lead to a state, a line each.
pub fn told(path: &Path<World, Event>) -> String {
    let events = path.clone().into_actions();
    let lines: Vec<String> = events.iter().map(|event| format!("  {event:?}")).collect();
    format!("{}\nto {:#?}", lines.join("\n"), path.last_state())
}

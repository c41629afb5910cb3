//! The table: the head of the project, its runs, versions and stretches, and the conditions of each write. A write that meets another
//! record than it read changes nothing and is refused.

use crate::walk::Wrong;
use std::hash::{Hash, Hasher};
use tidemill_model::deployment::Deployment;
use tidemill_model::ids::RunId;
use tidemill_model::run::Run;
use tidemill_model::tick::Stretch;

/// A run, and what only an onlooker knows of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub run: Run,
    /// The lease that it names has run out on every clock.
    pub is_lease_over: bool,
    /// The most objects that were ever saved.
    pub furthest: u64,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    pub head: Option<Deployment>,
    pub rows: Vec<Row>,
    pub versions: Vec<u32>,
    pub stretches: Vec<Stretch>,
    /// The first write that broke an invariant which the table itself cannot show.
    pub broken: Option<&'static str>,
}

/// The condition of a write did not hold.
#[derive(Debug)]
pub struct Rejected;

impl Table {
    pub fn run(&self, id: &RunId) -> Option<&Run> {
        self.rows.iter().map(|row| &row.run).find(|run| run.id == *id)
    }

    /// The run that holds the right to run and has not ended.
    pub fn going(&self, head: &Deployment) -> Option<RunId> {
        let current = self.run(head.current.as_ref()?)?;
        (!current.state.is_final()).then(|| current.id.clone())
    }

    /// Whether the head is as it was read: every change of it asks.
    pub fn is_at(&self, revision: u64) -> Result<(), Rejected> {
        match self.head.as_ref().is_some_and(|head| head.revision == revision) {
            true => Ok(()),
            false => Err(Rejected),
        }
    }

    /// Whether a run is as it was read: every change of it asks.
    pub fn has(&self, before: &Run, wrong: Option<Wrong>) -> Result<(), Rejected> {
        let found = self.run(&before.id).ok_or(Rejected)?;
        let epoch = wrong == Some(Wrong::WriteWithoutEpoch) || found.epoch == before.epoch;
        let lease = wrong == Some(Wrong::WriteWithoutLease) || found.lease == before.lease;
        let state = (found.state, found.attempt) == (before.state, before.attempt);
        match epoch && lease && (state || wrong == Some(Wrong::WriteWithoutEpoch)) {
            true => Ok(()),
            false => Err(Rejected),
        }
    }

    /// A run that a tick or a webhook makes.
    pub fn add_run(&mut self, run: Run) {
        let head = self.head.as_ref();
        if !head.is_some_and(|head| head.due_schedule().is_some() && Some(head.version) == run.version) {
            self.broken = Some("a tick or a webhook is accepted under what is live");
        }
        self.rows.push(Row { run, is_lease_over: false, furthest: 0 });
    }

    pub fn put_run(&mut self, after: Run) {
        let row = self.rows.iter_mut().find(|row| row.run.id == after.id).expect("it was read");
        if row.run.state.is_final() {
            self.broken = Some("a final state never changes");
        }
        if after.objects < row.furthest || after.version != row.run.version {
            self.broken = Some("what is saved stays, and a run keeps its version");
        }
        row.is_lease_over &= row.run.lease == after.lease;
        row.furthest = row.furthest.max(after.objects);
        row.run = after;
    }

    pub fn add_version(&mut self, number: u32) {
        if self.versions.contains(&number) {
            self.broken = Some("a version's number is given once");
        }
        self.versions.push(number);
    }
}

impl Hash for Table {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.head.as_ref().map(head).hash(state);
        for row in &self.rows {
            (run(&row.run), row.is_lease_over, row.furthest).hash(state);
        }
        self.versions.hash(state);
        for stretch in &self.stretches {
            (stretch.first, stretch.last, format!("{:?}", stretch.outcome)).hash(state);
        }
        self.broken.hash(state);
    }
}

/// What of a head ever differs here.
pub fn head(head: &Deployment) -> impl Hash {
    let Deployment { state, ticked_until, version, last_version, revision, current, waiting, .. } = head;
    let numbers = (*version, *last_version, *revision);
    (format!("{:?}", state.status()), *ticked_until, numbers, current.clone(), waiting.clone())
}

/// What of a run ever differs here.
pub fn run(run: &Run) -> impl Hash {
    let Run { id, version, state, epoch, objects, lease, tick, deaths, .. } = run;
    let lease = lease.as_ref().map(|lease| (lease.holder.clone(), lease.until));
    ((id.clone(), *version, state.as_str(), *tick), (*epoch, *objects, *deaths), lease)
}

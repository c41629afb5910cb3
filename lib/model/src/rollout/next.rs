//! What the worker of a rollout does next, and how a rollout's record moves on with it.

use crate::lease::{DEATHS, Process};
use crate::rollout::{Outcome, Resource, Rollout, State, Step, progress};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Resources that are worked on at once. No pipeline needs another one to be live.
pub const AT_ONCE: usize = 8;
/// Attempts in a row that may meet an error and settle nothing before the rollout is given up.
pub const ATTEMPTS: u32 = 5;

/// The resources of a rollout whose request was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Work {
    /// Resources to bring live: they have the lowest indices.
    pub wanted: u32,
    /// All of them, with those that are gone.
    pub total: u32,
    /// Nothing speaks against bringing them live.
    pub is_valid: bool,
    /// Those that have their outcome, by their index.
    pub settled: BTreeMap<u32, Resource>,
}

/// What a worker that has claimed a rollout does first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Leave it: it has ended.
    Leave,
    /// Read and check its request.
    Validate,
    /// End it without another look.
    End(End),
}

/// What a worker does next once it has read the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Leave it: it has ended.
    Leave,
    /// Report that its resources' turn has come.
    Begin,
    /// Give these resources their outcome, at once.
    Apply(Vec<u32>),
    /// Leave the rest to the next worker, which may go on at once.
    HandOver,
    /// Give each resource that has no outcome that it was not reached, and end the rollout.
    End(End),
}

/// How a rollout ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Every resource was applied.
    Succeeded,
    /// A caller asked for it.
    Cancelled,
    /// It cannot go on.
    Failed(Cause),
}

/// Why a rollout fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Its workers died, or met errors, too often in a row.
    WorkersDied,
    /// Its pipelines cannot be brought live as things are.
    Invalid,
    /// This resource could not be done.
    Resource(u32),
}

impl End {
    /// The rollout's final state.
    pub fn state(self) -> State {
        match self {
            End::Succeeded => State::Succeeded,
            End::Cancelled => State::Cancelled,
            End::Failed(_) => State::Failed,
        }
    }
}

/// What the worker that has claimed a rollout does first.
pub fn start(rollout: &Rollout) -> Start {
    match rollout.state {
        State::Succeeded | State::Failed | State::Cancelled => Start::Leave,
        _ if rollout.attempts > ATTEMPTS || rollout.deaths > DEATHS => Start::End(rollout.end_without_worker()),
        _ if rollout.cancel_requested_at.is_some() => Start::End(End::Cancelled),
        State::Pending | State::Running => Start::Validate,
    }
}

/// What the worker of a rollout does next. One whose process `is_stopping` leaves the rest to another.
pub fn next(rollout: &Rollout, work: &Work, is_stopping: bool) -> Next {
    let next = match work.failed() {
        _ if rollout.state.is_final() => Next::Leave,
        _ if !work.is_valid => Next::End(End::Failed(Cause::Invalid)),
        Some(failed) => Next::End(End::Failed(Cause::Resource(failed.index))),
        None if rollout.step != Step::Apply => Next::Begin,
        None if work.is_done() => Next::End(End::Succeeded),
        None if rollout.cancel_requested_at.is_some() => Next::End(End::Cancelled),
        None if is_stopping => Next::HandOver,
        None => Next::Apply(work.batch()),
    };
    debug_assert_eq!(check(rollout, work, &next), Ok(()));
    next
}

impl Work {
    /// The first resource that could not be done.
    pub fn failed(&self) -> Option<&Resource> {
        self.settled.values().find(|resource| resource.outcome != Outcome::Applied)
    }

    /// The first so many resources have their outcome.
    pub fn settled_in_row(&self) -> u32 {
        in_row(self.settled.keys().copied())
    }

    /// Every resource has its outcome.
    pub fn is_done(&self) -> bool {
        self.settled_in_row() == self.total
    }

    /// The next resources in line: nothing goes before all that is to be there is there.
    fn batch(&self) -> Vec<u32> {
        let left = |from: u32, to: u32| (from..to).filter(|index| !self.settled.contains_key(index)).take(AT_ONCE);
        let wanted: Vec<u32> = left(0, self.wanted).collect();
        if wanted.is_empty() { left(self.wanted, self.total).collect() } else { wanted }
    }
}

/// How many of these indices, in their order, come without a gap from the first on.
pub fn in_row(indices: impl IntoIterator<Item = u32>) -> u32 {
    (0..).zip(indices).take_while(|(expected, index)| expected == index).count() as u32
}

/// How far a rollout is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What it is busy with.
    pub step: Step,
    /// How many resources it has.
    pub resources: u32,
    /// How many of them, from the first on, have their outcome.
    pub settled: u32,
    /// 0 to 100.
    pub percent: u8,
    /// Attempts in a row that met an error and settled nothing.
    pub attempts: u32,
    /// Workers in a row that died at it and settled nothing.
    pub deaths: u32,
}

impl Rollout {
    /// Its progress once it is at a step with so many of its resources settled. It never goes back, and what was settled
    /// ends a row of attempts and deaths that came to nothing.
    pub fn progress_at(&self, step: Step, settled: u32, resources: u32) -> Progress {
        let percent = match step {
            Step::Wait | Step::Validate => self.progress,
            Step::Apply | Step::Done => progress(settled, resources).max(self.progress),
        };
        let settled = settled.max(self.settled);
        let (attempts, deaths) = if settled > self.settled { (0, 0) } else { (self.attempts, self.deaths) };
        Progress { step, resources, settled, percent, attempts, deaths }
    }

    /// Its progress as it is, where the worker leaves it to the next one after so many attempts that came to nothing.
    pub fn progress_left(&self, attempts: u32) -> Progress {
        let Rollout { step, resources, settled, progress, deaths, .. } = *self;
        Progress { step, resources, settled, percent: progress, attempts, deaths }
    }

    /// Deaths in a row, once the next worker takes it: the holder of a lease that has run out died. One that had not come to
    /// a step of this rollout died of something else.
    pub fn deaths_when_claimed(&self) -> u32 {
        self.deaths + u32::from(self.lost_its_worker() && self.begun == self.epoch)
    }

    /// Whether a worker holds it, as `by` sees it.
    pub fn is_held(&self, now: Timestamp, by: Process<'_>) -> bool {
        self.lease.as_ref().is_some_and(|lease| lease.holds(now, by))
    }

    /// Since when it waits for a worker: since it was made or handed over, or the lease of one that died ended.
    pub fn waits_since(&self) -> Timestamp {
        self.lease.as_ref().map_or(self.created_at, |lease| lease.until)
    }

    /// Whether a worker died at it and no other has taken it.
    pub fn lost_its_worker(&self) -> bool {
        self.lease.as_ref().is_some_and(|lease| !lease.is_given_back())
    }

    /// How it ends when no worker goes on with it.
    pub fn end_without_worker(&self) -> End {
        match self.cancel_requested_at {
            Some(_) => End::Cancelled,
            None => End::Failed(Cause::WorkersDied),
        }
    }
}

/// Checks a worker's next move against what must hold of each.
///
/// # Errors
/// What does not hold.
pub fn check(rollout: &Rollout, work: &Work, next: &Next) -> Result<(), String> {
    let has_outcome = |index: u32| work.settled.contains_key(&index);
    let goes_well = work.is_valid && work.failed().is_none();
    let holds = match next {
        Next::Leave => rollout.state.is_final(),
        _ if rollout.state.is_final() => return Err(format!("a final rollout is left by {next:?}")),
        Next::Apply(batch) => {
            let in_order = batch.is_sorted_by(|a, b| a < b) && (1..=AT_ONCE).contains(&batch.len());
            let is_new = batch.iter().all(|index| *index < work.total && !has_outcome(*index));
            let brings = batch.iter().all(|index| *index < work.wanted);
            let all_there = (0..work.wanted).all(has_outcome);
            goes_well && rollout.cancel_requested_at.is_none() && in_order && is_new && (brings || all_there)
        }
        Next::End(End::Succeeded) => goes_well && (0..work.total).all(has_outcome),
        Next::End(End::Cancelled) => rollout.cancel_requested_at.is_some(),
        Next::End(End::Failed(Cause::Resource(index))) => {
            work.settled.get(index).is_some_and(|resource| resource.outcome != Outcome::Applied)
        }
        Next::End(End::Failed(Cause::Invalid)) => !work.is_valid,
        Next::End(End::Failed(Cause::WorkersDied)) => false,
        Next::Begin | Next::HandOver => goes_well,
    };
    if holds { Ok(()) } else { Err(format!("{next:?} of {work:?}")) }
}

/// Checks a rollout's progress against what must hold of each.
///
/// # Errors
/// What does not hold.
pub fn check_progress(before: &Rollout, after: &Progress) -> Result<(), String> {
    let goes_on = after.settled >= before.settled && after.percent >= before.progress;
    let is_open = after.percent < 100 || before.progress >= 100;
    let is_counted = after.attempts >= before.attempts && after.deaths >= before.deaths;
    let counts = is_counted || after.settled > before.settled;
    match goes_on && is_open && counts {
        true => Ok(()),
        false => Err(format!("{after:?} after {} % and {} settled", before.progress, before.settled)),
    }
}

impl State {
    /// Whether a rollout may go from this state to another in one write. A final one is never left.
    pub fn may_become(self, next: State) -> bool {
        match self {
            State::Pending => true,
            State::Running => next != State::Pending,
            State::Succeeded | State::Failed | State::Cancelled => false,
        }
    }
}

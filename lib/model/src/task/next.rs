//! The next step of a task towards its end. The worker that counted its last object, the caller that asked for its end
//! and the sweep all decide by it.

use crate::lease::Process;
use crate::run::{self, Run};
use crate::task::{End, State, Task};
use crate::wrong::{self, Mistake};
use jiff::{SignedDuration, Timestamp};

/// How long the run of a source that makes its own objects may wait before its bell counts as lost.
const PATIENCE: SignedDuration = SignedDuration::from_secs(60);

/// What is to be done for a task now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing, as the task is.
    Rest,
    /// Count the objects in flight as failed: their workers gave no sign of life for too long.
    GiveUpObjects,
    /// End it, and its run with it.
    End(End),
    /// Look at its run, which decides: [`next_with_run`].
    LookAtRun,
    /// Ask its run to end: the one who asked for the task's end may have died before that.
    CancelRun,
    /// Ring for its run, which no worker holds.
    RingForRun,
}

/// The next step of a task, as far as its own record says.
pub fn next(task: &Task, now: Timestamp) -> Step {
    match task.state {
        State::Ended => Step::Rest,
        _ if task.in_flight > 0 && (!task.is_busy(now) || wrong::is(Mistake::ObjectsGivenUp)) => Step::GiveUpObjects,
        _ if !task.waits => Step::LookAtRun,
        State::Open if task.is_idle(now) => Step::End(End::Idle),
        State::Ending if task.in_flight <= 0 => Step::End(task.end.unwrap_or(End::Terminated)),
        State::Open | State::Ending => Step::Rest,
    }
}

/// The next step of a task whose source makes its own objects: it ends with its run.
pub fn next_with_run(task: &Task, run: &Run, now: Timestamp, by: Process<'_>) -> Step {
    match run.state {
        run::State::Succeeded => Step::End(End::Finished),
        run::State::Cancelled => Step::End(End::Terminated),
        run::State::Failed | run::State::TimedOut => Step::End(End::Failed),
        _ if task.state == State::Ending && run.cancel_requested_at.is_none() => Step::CancelRun,
        run::State::Queued if run.queued_at + PATIENCE > now => Step::Rest,
        run::State::Queued | run::State::Running if run.is_held(now, by) => Step::Rest,
        run::State::Queued | run::State::Running => Step::RingForRun,
    }
}

/// Checks a step against what must hold of each.
///
/// # Errors
/// What does not hold.
pub fn check(task: &Task, run: Option<&Run>, now: Timestamp, by: Process<'_>, step: Step) -> Result<(), String> {
    let is_at_rest = run.is_none_or(|run| run.state.is_final());
    let holds = match step {
        Step::Rest => true,
        _ if task.state == State::Ended => return Err(format!("an ended task is left by {step:?}")),
        Step::GiveUpObjects => task.in_flight > 0 && !task.is_busy(now),
        // Nothing that may still be worked on is cut off.
        Step::End(End::Idle) => task.waits && task.in_flight <= 0 && task.state == State::Open,
        Step::End(_) if task.waits => task.in_flight <= 0 && task.state == State::Ending,
        Step::End(_) => is_at_rest,
        Step::LookAtRun => !task.waits && run.is_none(),
        Step::CancelRun => task.state == State::Ending && !is_at_rest,
        Step::RingForRun => run.is_some_and(|run| !run.state.is_final() && !run.is_held(now, by)),
    };
    if holds { Ok(()) } else { Err(format!("{step:?} of a task that is {}", task.state)) }
}

impl State {
    /// Whether a task may go from this state to another in one write. `Ended` is never left.
    pub fn may_become(self, next: State) -> bool {
        match self {
            State::Open => true,
            State::Ending => next != State::Open,
            State::Ended => false,
        }
    }
}

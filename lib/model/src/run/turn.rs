//! The right to run: of a deployment's runs one is going at a time, and its head names which.

use crate::deployment::Deployment;
use crate::ids::RunId;
use crate::lease::Lease;
use crate::retention::CARRIED;
use crate::run::{ComponentCounts, Run, State, Trigger};
use crate::task::{self, Task};
use crate::wrong::{self, Mistake};
use jiff::Timestamp;

/// How the claim of a run ends, before it is written.
#[derive(Clone, Debug, PartialEq)]
pub enum Claim {
    /// To be written together: the run, and the deployment where the run did not hold the right to run yet.
    Granted {
        /// The run, running, under its next epoch.
        run: Box<Run>,
        /// The deployment with this run as its current one; `None` if it was that before, or takes no turns.
        deployment: Option<Box<Deployment>>,
    },
    /// Another run is going.
    Behind(RunId),
    /// Its deployment is paused or errored: it waits until that is resumed.
    Held,
    /// Its deployment was removed before it began: it is to be cancelled.
    Removed,
}

impl Run {
    /// A queued run of a deployment's live version.
    pub fn of(deployment: &Deployment, id: RunId, trigger: Trigger, now: Timestamp) -> Run {
        Run {
            version: Some(deployment.version),
            trigger,
            max_attempts: deployment.settings.max_attempts,
            timeout_seconds: deployment.settings.timeout_seconds,
            plan_sha256: deployment.plan_sha256.clone(),
            ..Run::queued(id, deployment.owner.clone(), deployment.id.clone(), now)
        }
    }

    /// Whether it is executed only while it holds its deployment's right to run. A task's run takes no turn.
    pub fn takes_turns(&self) -> bool {
        self.task.is_none()
    }

    /// Claims a run that may be claimed. `deployment` is its own where it takes turns, and `going` the run that holds
    /// the right to run and has not ended.
    pub fn claim(&self, deployment: Option<&Deployment>, going: Option<&RunId>, lease: Lease, now: Timestamp) -> Claim {
        debug_assert!(!self.state.is_final(), "a run that has ended is claimed");
        match deployment.filter(|_| self.state == State::Queued).map(|deployment| &deployment.state) {
            Some(state) if state.holds_runs() => return Claim::Held,
            Some(state) if state.is_removed() => return Claim::Removed,
            _ => {}
        }
        let to_move = deployment.filter(|deployment| !deployment.is_turn_of(&self.id));
        if let (Some(_), Some(going)) = (to_move, going.filter(|_| !wrong::is(Mistake::TurnIgnored))) {
            return Claim::Behind(going.clone());
        }
        let deployment = to_move.map(|deployment| Box::new(deployment.with_turn_of(&self.id)));
        Claim::Granted { run: Box::new(self.taken(lease, now)), deployment }
    }

    /// The run, running, under its next epoch. Who makes a run together with its right to run may take it by the same write.
    pub fn taken(&self, lease: Lease, now: Timestamp) -> Run {
        Run {
            state: State::Running,
            started_at: self.started_at.or(Some(now)),
            attempt_started_at: self.attempt_started_at.or(Some(now)),
            not_before: None,
            epoch: self.epoch + u64::from(!wrong::is(Mistake::EpochKept)),
            deaths: if self.was_left_by_a_death() { self.deaths + 1 } else { 0 },
            lease: Some(lease),
            is_carried: false,
            ..self.clone()
        }
    }

    /// Whether its last worker died: it neither ended nor handed over.
    fn was_left_by_a_death(&self) -> bool {
        self.state == State::Running && !self.lease.as_ref().is_some_and(Lease::is_given_back)
    }

    /// The run once a caller asked it to end: one that waits has ended by that.
    pub fn with_cancel_request(&self, now: Timestamp) -> Run {
        debug_assert!(!self.state.is_final(), "a run that has ended is cancelled");
        let mut after = Run { cancel_requested_at: Some(now), is_carried: false, ..self.clone() };
        if self.state == State::Queued {
            after.state = State::Cancelled;
            after.ended_at = Some(now);
        }
        after
    }

    /// The run of a task that waits for objects once the task has ended. No worker ever holds it.
    pub fn with_end_of_task(&self, task: &Task, outcome: task::End, now: Timestamp) -> Run {
        debug_assert!(self.is_open_task() && !self.state.is_final(), "it is a run that a worker ends");
        let counted = task.components.counts();
        Run {
            state: match outcome {
                task::End::Terminated => State::Cancelled,
                _ => State::Succeeded,
            },
            ended_at: Some(now),
            objects: task.counts.total_count,
            dropped: counted.iter().map(ComponentCounts::dropped).sum(),
            components: Some(serde_json::to_string(counted).expect("texts and numbers are JSON")),
            log_chunks: task.log_chunks,
            ..self.clone()
        }
    }
}

impl Deployment {
    /// Whether a run holds the right to run, ended or not.
    pub fn is_turn_of(&self, run: &RunId) -> bool {
        self.current.as_ref() == Some(run)
    }

    /// The head once a run took the right to run.
    pub fn with_turn_of(&self, run: &RunId) -> Deployment {
        Deployment { revision: self.revision + 1, current: Some(run.clone()), carried: None, ..self.clone() }
    }

    /// The head that carries the run that it is the turn of, which its maker has taken.
    pub fn carrying(self, run: Run) -> Deployment {
        debug_assert!(self.is_turn_of(&run.id) && run.epoch == 1, "its maker took it with the right to run");
        Deployment { carried: Some(Box::new(Run { is_carried: true, ..run })), ..self }
    }

    /// The run that it carries, if that is the one. The caller must have looked for the run's record after reading the head, and found none:
    /// where there is a record, only the record counts.
    pub fn carried(&self, run: &RunId, now: Timestamp) -> Option<&Run> {
        let carried = self.carried.as_deref().filter(|carried| carried.id == *run && self.is_turn_of(run));
        carried.filter(|carried| now < carried.id.made_at() + CARRIED)
    }
}

impl State {
    /// Whether a run may go from this state to another in one write. A final one is never left.
    pub fn may_become(self, next: State) -> bool {
        match self {
            State::Queued => matches!(next, State::Queued | State::Running | State::Cancelled),
            State::Running => true,
            State::Succeeded | State::Failed | State::Cancelled | State::TimedOut => false,
        }
    }
}

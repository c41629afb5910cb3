//! One finding: why something is to be done, and what.

use crate::lease::Process;
use crate::rollout::Rollout;
use crate::run::Run;
use crate::sweep::Look;
use jiff::Timestamp;
use std::fmt;

/// Why something is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// A deployment's timers are not as its record says.
    TimersDiffer,
    /// A minute was due, and its bell did not come.
    TickDue {
        /// The first such minute.
        first: Timestamp,
    },
    /// A run waits, and its bell did not come.
    RunWaits {
        /// From when on it could have begun.
        since: Timestamp,
    },
    /// A run is running, and no worker holds it.
    RunLost,
    /// A rollout waits for a worker.
    RolloutWaits {
        /// From when on it could have begun.
        since: Timestamp,
    },
    /// A rollout's worker is gone.
    RolloutLost,
    /// The sweep rang for a rollout, and no worker came.
    NoWorkerCame {
        /// When the sweep rang.
        rung_at: Timestamp,
    },
    /// The rollout that a group names as its active one is not there.
    RolloutMissing,
}

/// What is to be done about a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Set the deployment's timers as its record says.
    SetTimers,
    /// Ring again.
    Ring,
    /// End it: each resource that has no outcome was not reached.
    GiveUp,
    /// Let the group take its next rollout.
    Free,
}

impl Finding {
    /// What to do about it.
    pub fn remedy(self) -> Remedy {
        match self {
            Finding::TimersDiffer => Remedy::SetTimers,
            Finding::TickDue { .. }
            | Finding::RunWaits { .. }
            | Finding::RunLost
            | Finding::RolloutWaits { .. }
            | Finding::RolloutLost => Remedy::Ring,
            Finding::NoWorkerCame { .. } => Remedy::GiveUp,
            Finding::RolloutMissing => Remedy::Free,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::TimersDiffer => f.write_str("its timers are not as its record says"),
            Finding::TickDue { first } => write!(f, "its tick of {first} was due, and no bell came"),
            Finding::RunWaits { since } => write!(f, "it has waited since {since}, and no bell came"),
            Finding::RunLost | Finding::RolloutLost => f.write_str("its worker is gone"),
            Finding::RolloutWaits { since } => write!(f, "it has waited for a worker since {since}"),
            Finding::NoWorkerCame { rung_at } => write!(f, "no worker came for it since the sweep rang at {rung_at}"),
            Finding::RolloutMissing => f.write_str("its active rollout is not there"),
        }
    }
}

/// Checks what was found of a run against what must hold of each finding.
///
/// # Errors
/// What does not hold.
pub fn check_run(look: &Look<'_>, run: &Run, finding: Option<Finding>) -> Result<(), String> {
    let is_open = !run.state.is_final();
    is_left_alone_while_held(is_open, run.is_held(look.now, look.process), finding)
}

/// Checks what was found of a rollout against what must hold of each finding.
///
/// # Errors
/// What does not hold.
pub fn check_rollout(look: &Look<'_>, rollout: &Rollout, finding: Option<Finding>) -> Result<(), String> {
    is_left_alone_while_held(!rollout.state.is_final(), is_held(rollout, look.now, look.process), finding)?;
    let was_rung_for = rollout.rung.is_some_and(|rung| rung.epoch == rollout.epoch);
    match finding.map(Finding::remedy) {
        Some(Remedy::GiveUp) if !was_rung_for => Err("a rollout is given up that no worker was called for".into()),
        _ => Ok(()),
    }
}

fn is_held(rollout: &Rollout, now: Timestamp, process: Process<'_>) -> bool {
    rollout.lease.as_ref().is_some_and(|lease| lease.holds(now, process))
}

fn is_left_alone_while_held(is_open: bool, is_held: bool, finding: Option<Finding>) -> Result<(), String> {
    match finding {
        Some(finding) if !is_open => Err(format!("found of what has ended: {finding}")),
        Some(finding) if is_held => Err(format!("found of what a worker holds: {finding}")),
        _ => Ok(()),
    }
}

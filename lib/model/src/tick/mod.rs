//! Due minutes and what became of them.

mod check;
mod decide;
mod due;

pub use check::check;
pub use decide::{Decision, Situation, decide};
pub use due::{CLOCK_TOLERANCE, Due};

use crate::ids::RunId;
use crate::schedule::Schedule;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What became of one due minute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tick {
    /// The due minute.
    pub at: Timestamp,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// Exactly one of these is recorded for every due minute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It made a run.
    Ran {
        /// The run that it made.
        run: RunId,
    },
    /// It made none, although the plane was there.
    Skipped(Skipped),
    /// It made none, because it came too late.
    Missed(Missed),
}

/// Why a due minute made no run although the plane was there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Skipped {
    /// A run was going, and a deployment never runs twice at once.
    Overlap {
        /// The run that was going.
        run: RunId,
    },
    /// The deployment was paused.
    Paused,
    /// The plane had stopped the deployment, e.g. because its key was revoked.
    Errored,
    /// The deployment was updated, resumed or removed before the tick was taken.
    Changed,
}

/// Why a due minute made no run because it came too late.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Missed {
    /// Later than the deployment's catch-up window.
    TooLate,
    /// Within the window, but a later due minute ran for it.
    CaughtUp {
        /// The later minute's run.
        run: RunId,
    },
}

/// A row of the ledger: one outcome for all due minutes of a stretch. One row stands for a night's downtime.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stretch {
    /// The first due minute.
    pub first: Timestamp,
    /// The last due minute.
    pub last: Timestamp,
    /// The schedule that made the minutes due.
    pub schedule: Schedule,
    /// What became of each of them.
    #[serde(flatten)]
    pub outcome: Outcome,
}

//! What a sweep found and did.

use serde::Serialize;
use std::fmt::Display;
use tidemill_model::ids::OwnerId;

/// What a sweep found and did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SweepReport {
    pub deployments: usize,
    /// Bells of runs that waited, or whose worker was gone.
    pub runs_rung: usize,
    /// Bells of ticks that were due.
    pub ticks_rung: usize,
    /// Timers that were not as the table says, or that no deployment asks for.
    pub timers_set: usize,
    /// Deployments whose minutes are ticked off until an instant to come.
    pub ahead_of_clock: usize,
    /// Tasks that came to their end, or lost a worker.
    pub tasks_ended: usize,
    /// Rollouts without a worker: rung for, or ended.
    pub rollouts_found: usize,
    /// Records, and all of an owner's records of a kind, that could not be looked at. The next sweep looks again.
    pub failed: usize,
    /// Seconds since the oldest run that has not ended came in; 0 if there is none.
    pub oldest_run: u64,
}

impl SweepReport {
    pub(super) fn missed(&mut self, owner: &OwnerId, what: &str, error: &dyn Display) {
        self.failed += 1;
        tracing::error!(owner.id = %owner, %error, "could not look at {what}");
    }

    pub(super) fn add(&mut self, other: &SweepReport) {
        self.deployments += other.deployments;
        self.runs_rung += other.runs_rung;
        self.ticks_rung += other.ticks_rung;
        self.timers_set += other.timers_set;
        self.ahead_of_clock += other.ahead_of_clock;
        self.tasks_ended += other.tasks_ended;
        self.rollouts_found += other.rollouts_found;
        self.failed += other.failed;
        self.oldest_run = self.oldest_run.max(other.oldest_run);
    }
}

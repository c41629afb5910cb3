//! What an operator is to see of a sweep: alarms of the template read these lines of the log.

use crate::error::{Code, Error};
use crate::plane::sweep::SweepReport;

/// From which age on a run is reported, in seconds: the least that the template lets its alarm be set to.
const LONG_RUN: u64 = 15 * 60;

/// Logs what the alarms compare and count.
///
/// # Errors
/// Records could not be looked at: an alarm counts the errors.
pub(super) fn raise(report: &SweepReport) -> Result<(), Error> {
    let SweepReport { runs_rung, ticks_rung, timers_set, rollouts_found, oldest_run, failed, .. } = *report;
    if oldest_run >= LONG_RUN {
        // An alarm of the template compares it.
        tracing::warn!(oldest_run, "the oldest run that has not ended came in {oldest_run} s ago");
    }
    let found = runs_rung + ticks_rung + timers_set + rollouts_found;
    if found > 0 {
        // An alarm of the template counts `found`.
        tracing::warn!(
            found,
            runs_rung,
            ticks_rung,
            timers_set,
            rollouts_found,
            "the sweep found work without a worker: runs {runs_rung}, ticks {ticks_rung}, timers {timers_set}, rollouts \
             {rollouts_found}"
        );
    }
    match failed {
        0 => Ok(()),
        failed => Err(Error::new(Code::Internal, format!("{failed} records could not be looked at"))
            .hint("the log of the sweep says which, and why")),
    }
}

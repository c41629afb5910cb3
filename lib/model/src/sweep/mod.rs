//! What a look at the table finds: work that no worker holds although a record says that there is some. The sweep and
//! the doctor look by the same rules, and repair towards the table alone.

mod deployment;
mod finding;
mod rollout;
mod run;

pub use deployment::of_deployment;
pub use finding::{Finding, Remedy, check_rollout, check_run};
pub use rollout::{of_group, of_rollout};
pub use run::{of_runs, oldest};

use crate::lease::Process;
use jiff::{SignedDuration, Timestamp};

/// How long a run may wait before its bell counts as lost.
const RUN_PATIENCE: SignedDuration = SignedDuration::from_secs(60);
/// How long a tick may be due before its bell counts as lost: EventBridge Scheduler fires up to 59 s late, and then the
/// bell has its way to go. <https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html>
const TICK_PATIENCE: SignedDuration = SignedDuration::from_secs(90);

/// A look at the table.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// When it looks.
    pub now: Timestamp,
    /// How late bells may be before they count as lost.
    pub patience: Patience,
    /// The process that looks.
    pub process: Process<'a>,
}

/// How long bells may be on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// The plane has just started: every bell and every local timer of before is gone.
    None,
    /// The plane is running.
    Usual,
}

impl Patience {
    /// How long a run may wait before its bell counts as lost.
    pub fn for_runs(self) -> SignedDuration {
        match self {
            Patience::None => SignedDuration::ZERO,
            Patience::Usual => RUN_PATIENCE,
        }
    }

    /// How long a tick may be due before its bell counts as lost.
    pub fn for_ticks(self) -> SignedDuration {
        match self {
            Patience::None => SignedDuration::ZERO,
            Patience::Usual => TICK_PATIENCE,
        }
    }
}

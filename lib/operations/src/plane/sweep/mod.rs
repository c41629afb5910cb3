//! The sweep: looks through the table each minute for work that no worker holds although a record says that there is
//! some, and rings for it.
//!
//! It only ever repairs towards the table. `tidemill_model::sweep` has the rules.

mod alarms;
mod deployments;
mod owner;
pub(crate) mod repair;
mod report;
pub(crate) mod rollouts;
mod sockets;

pub(crate) use deployments::has_its_timers;
pub use report::SweepReport;

use crate::error::Error;
use crate::plane::Plane;
use std::collections::HashMap;
use tidemill_model::sweep::{Look, Patience};

/// Sweeps after a start, when every bell and every local timer of before is gone.
pub async fn after_start(plane: &Plane) -> Result<SweepReport, Error> {
    sweep(plane, Patience::None).await
}

/// Sweeps while the plane runs.
pub async fn run(plane: &Plane) -> Result<SweepReport, Error> {
    sweep(plane, Patience::Usual).await
}

/// Sweeps while the plane runs, and logs what an operator is to see.
pub async fn each_minute(plane: &Plane) -> Result<(), Error> {
    alarms::raise(&run(plane).await?)
}

/// A look of this process, as of now.
pub(crate) fn look(plane: &Plane, patience: Patience) -> Look<'_> {
    Look { now: plane.now(), patience, process: plane.workers.this() }
}

async fn sweep(plane: &Plane, patience: Patience) -> Result<SweepReport, Error> {
    let mut report = SweepReport::default();
    if plane.sockets.is_some()
        && let Err(error) = sockets::ring_for_strangers(plane).await
    {
        report.failed += 1;
        tracing::error!(error = error.with_causes(), "could not look at WebSockets without a login");
    }
    // Listed before the deployments are read: a timer that is made meanwhile is in neither, and is left alone.
    let mut timers = plane.timers.all().await?;
    let mut is_whole = true;
    for owner in plane.store.each_owner().await? {
        match owner {
            Ok(owner) => is_whole &= owner::sweep(plane, &owner, patience, &mut timers, &mut report).await,
            Err(error) => {
                is_whole = false;
                report.failed += 1;
                tracing::error!(%error, "could not read the record of an owner");
            }
        }
    }
    // Those that are left over may be of deployments that could not be read.
    if is_whole {
        delete(plane, timers, &mut report).await;
    }
    Ok(report)
}

/// Deletes the timers that no deployment asks for.
async fn delete(plane: &Plane, timers: HashMap<String, bool>, report: &mut SweepReport) {
    for name in timers.keys() {
        match plane.timers.delete(name).await {
            Ok(()) => report.timers_set += 1,
            Err(error) => {
                tracing::warn!(timer = name, error = error.with_causes(), "could not delete a timer of no deployment")
            }
        }
    }
}

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
mod round;
mod sockets;

pub(crate) use deployments::has_its_timers;
pub use report::SweepReport;

use crate::error::Error;
use crate::plane::Plane;
use std::collections::HashMap;
use std::sync::Mutex;
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
    let timers = Mutex::new(plane.timers.all().await?);
    let extent = round::walk(plane, patience, &timers, &mut report).await?;
    // Those that are left over may be of deployments that were not read.
    if extent == Extent::Whole {
        let left = timers.into_inner().expect("no code panics while holding it");
        delete(plane, left, &mut report).await;
    }
    Ok(report)
}

/// Whether a look read everything that it was to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    Whole,
    Partial,
}

impl Extent {
    fn and(self, other: Extent) -> Extent {
        if self == Extent::Whole { other } else { self }
    }
}

/// The timers that no deployment asked for so far: whether each rings, by its name.
type Timers = Mutex<HashMap<String, bool>>;

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

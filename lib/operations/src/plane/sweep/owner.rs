//! The sweep of one owner's records, each kind by itself: one that cannot be read keeps none of the others from it.

use crate::bell::Bell;
use crate::error::Error;
use crate::plane::Plane;
use crate::plane::sweep::{Extent, SweepReport, Timers, deployments, rollouts};
use crate::task::life::settle;
use jiff::{SignedDuration, Timestamp};
use tidemill_model::ids::OwnerId;
use tidemill_model::retention::HISTORY;
use tidemill_model::sweep::Patience;
use tidemill_model::task::{State, Task};

/// Looks at what one owner has; whether every deployment was read.
pub(super) async fn sweep(
    plane: &Plane,
    owner: &OwnerId,
    patience: Patience,
    timers: &Timers,
) -> (SweepReport, Extent) {
    let mut found = SweepReport::default();
    let report = &mut found;
    if let Err(error) = tasks(plane, owner, report).await {
        report.missed(owner, "the tasks of an owner", &error.with_causes());
    }
    if let Err(error) = rollouts::sweep(plane, owner, patience, report).await {
        report.missed(owner, "the rollouts of an owner", &error.with_causes());
    }
    if let Err(error) = watches(plane, owner).await {
        report.missed(owner, "the monitors of an owner", &error.with_causes());
    }
    let read = deployments::sweep(plane, owner, patience, timers, report).await;
    let extent = read.unwrap_or_else(|error| {
        report.missed(owner, "the deployments of an owner", &error.with_causes());
        Extent::Partial
    });
    (found, extent)
}

/// Brings an owner's tasks to their end where it is due.
async fn tasks(plane: &Plane, owner: &OwnerId, report: &mut SweepReport) -> Result<(), Error> {
    for task in plane.store.each_open_task(owner).await? {
        let task = match task {
            Ok(task) => task,
            Err(error) => {
                report.missed(owner, "the record of a task", &error);
                continue;
            }
        };
        if is_about_to_lose_its_run(&task, plane.now())
            && let Err(error) = plane.store.keep_run_of(&task).await
        {
            report.missed(owner, "the run of a task", &error);
        }
        let before = task.state;
        match settle(plane, task).await {
            Ok(task) => report.tasks_ended += usize::from(task.state != before),
            Err(error) => report.missed(owner, "a task", &error.with_causes()),
        }
    }
    Ok(())
}

/// Whether an earlier version would have the run of an open task deleted about now.
fn is_about_to_lose_its_run(task: &Task, now: Timestamp) -> bool {
    const AROUND: SignedDuration = SignedDuration::from_hours(48);
    let expires = task.opened_at + HISTORY;
    task.state != State::Ended && expires - AROUND <= now && now <= expires + AROUND
}

/// Rings for those who monitor, also for those whose key may have been revoked.
async fn watches(plane: &Plane, owner: &OwnerId) -> Result<(), Error> {
    if plane.sockets.is_some() && plane.store.watching(owner).await?.is_some() {
        plane.ring_again(Bell::Watch { owner: owner.clone() }).await;
    }
    Ok(())
}

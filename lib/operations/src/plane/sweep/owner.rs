//! The sweep of one owner's records, each kind by itself: one that cannot be read keeps none of the others from it.

use crate::bell::Bell;
use crate::error::Error;
use crate::plane::Plane;
use crate::plane::sweep::{SweepReport, deployments, rollouts};
use crate::task::life::settle;
use std::collections::HashMap;
use tidemill_model::ids::OwnerId;
use tidemill_model::sweep::Patience;

/// Looks at what one owner has; whether every deployment was read.
pub(super) async fn sweep(
    plane: &Plane,
    owner: &OwnerId,
    patience: Patience,
    timers: &mut HashMap<String, bool>,
    report: &mut SweepReport,
) -> bool {
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
    read.unwrap_or_else(|error| {
        report.missed(owner, "the deployments of an owner", &error.with_causes());
        false
    })
}

/// Brings an owner's tasks to their end where it is due.
async fn tasks(plane: &Plane, owner: &OwnerId, report: &mut SweepReport) -> Result<(), Error> {
    for task in plane.store.each_task(owner).await? {
        let task = match task {
            Ok(task) => task,
            Err(error) => {
                report.missed(owner, "the record of a task", &error);
                continue;
            }
        };
        let before = task.state;
        match settle(plane, task).await {
            Ok(task) => report.tasks_ended += usize::from(task.state != before),
            Err(error) => report.missed(owner, "a task", &error.with_causes()),
        }
    }
    Ok(())
}

/// Rings for those who monitor, also for those whose key may have been revoked.
async fn watches(plane: &Plane, owner: &OwnerId) -> Result<(), Error> {
    if plane.sockets.is_some() && plane.store.watching(owner).await?.is_some() {
        plane.ring_again(Bell::Watch { owner: owner.clone() }).await;
    }
    Ok(())
}

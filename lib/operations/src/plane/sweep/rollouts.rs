//! The sweep of an owner's groups: their active rollouts go on, and a worker holds each.

use crate::error::Error;
use crate::plane::Plane;
use crate::plane::sweep::{SweepReport, look, repair};
use tidemill_model::ids::OwnerId;
use tidemill_model::rollout::{Group, Rollout};
use tidemill_model::sweep::{Patience, of_group, of_rollout};
use tidemill_store::PAGE_LIMIT;

/// The active rollouts of an owner's groups.
#[derive(Default)]
pub(crate) struct ActiveRollouts {
    pub rollouts: Vec<Rollout>,
    /// Groups whose active rollout is not there.
    pub without: Vec<Group>,
}

impl ActiveRollouts {
    pub async fn of(plane: &Plane, owner: &OwnerId) -> Result<ActiveRollouts, Error> {
        let mut active = ActiveRollouts::default();
        let mut cursor = None;
        loop {
            let page = plane.store.groups(owner, cursor.as_ref(), PAGE_LIMIT * 10).await?;
            for group in page.items {
                let Some(id) = &group.active_rollout else { continue };
                let rollout = plane.store.rollout(owner, id).await?;
                if of_group(&group, rollout.as_ref()).is_some() {
                    active.without.push(group);
                }
                active.rollouts.extend(rollout);
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(active);
            }
        }
    }
}

/// Rings for the rollouts that no worker holds, and ends those that no worker came for.
pub(super) async fn sweep(
    plane: &Plane,
    owner: &OwnerId,
    patience: Patience,
    report: &mut SweepReport,
) -> Result<(), Error> {
    let ActiveRollouts { rollouts, without } = ActiveRollouts::of(plane, owner).await?;
    for group in &without {
        repair::group(plane, group).await?;
        report.rollouts_found += 1;
    }
    for rollout in rollouts {
        let Some(finding) = of_rollout(&look(plane, patience), &rollout) else { continue };
        match repair::rollout(plane, &rollout, finding).await {
            Ok(()) => report.rollouts_found += 1,
            Err(error) => {
                report.failed += 1;
                tracing::error!(owner.id = %owner, rollout.id = %rollout.id, error = error.with_causes(), "could not repair a rollout");
            }
        }
    }
    Ok(())
}

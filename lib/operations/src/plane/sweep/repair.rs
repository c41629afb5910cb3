//! What is done about a finding, by the sweep and by the doctor.

use crate::bell::Bell;
use crate::error::Error;
use crate::plane::Plane;
use crate::{rollout, run};
use tidemill_model::deployment::Deployment;
use tidemill_model::rollout::{Group, Rollout};
use tidemill_model::run::Run;
use tidemill_model::sweep::{Finding, Remedy};
use tidemill_store::Part;

pub(crate) async fn deployment(plane: &Plane, deployment: &Deployment, finding: Finding) {
    let Deployment { owner, id, .. } = deployment;
    tracing::info!(owner.id = %owner, project.id = %id, "repairing a deployment: {finding}");
    match finding.remedy() {
        Remedy::SetTimers => plane.follow(deployment).await,
        _ => plane.ring_again(Bell::Tick { owner: owner.clone(), deployment: id.clone() }).await,
    }
}

pub(crate) async fn run(plane: &Plane, run: &Run, finding: Finding) {
    tracing::info!(owner.id = %run.owner, run.id = %run.id, "ringing for run `{}`: {finding}", run.id);
    plane.ring_again(run::turn::bell(run)).await;
}

pub(crate) async fn rollout(plane: &Plane, rollout: &Rollout, finding: Finding) -> Result<(), Error> {
    tracing::info!(owner.id = %rollout.owner, rollout.id = %rollout.id, "repairing rollout `{}`: {finding}", rollout.id);
    match finding.remedy() {
        Remedy::GiveUp => rollout::execute::give_up(plane, rollout).await,
        _ => ring_for_rollout(plane, rollout).await,
    }
}

/// Rings for a rollout, and notes it: if no worker comes by that, the sweep ends it.
pub(crate) async fn ring_for_rollout(plane: &Plane, rollout: &Rollout) -> Result<(), Error> {
    match plane.store.rollout_rung(rollout, plane.now()).await {
        Ok(_) => plane.ring_again(Bell::of_rollout(rollout)).await,
        // A worker has come, or it has ended.
        Err(error) if error.rejects(Part::Rollout) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// Lets a group take its next rollout where the active one is not there.
pub(crate) async fn group(plane: &Plane, group: &Group) -> Result<(), Error> {
    tracing::info!(owner.id = %group.owner, group = %group.name, "freeing the group `{}`: {}", group.name, Finding::RolloutMissing);
    let after = Group { active_rollout: None, revision: group.revision + 1, ..group.clone() };
    match plane.store.transaction().group(&after, group.revision)?.commit().await {
        // Another rollout has taken it.
        Err(error) if !error.rejects(Part::Group) => Err(error.into()),
        _ => Ok(()),
    }
}

//! The run that holds a deployment's right to run, the reading of one that it may carry, and the bell of a run.

use crate::bell::Bell;
use crate::error::Error;
use crate::plane::Plane;
use std::time::Duration;
use tidemill_model::deployment::Deployment;
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::ids::{OwnerId, RunId};
use tidemill_model::run::Run;

/// The run that last held a deployment's right to run, whether or not it has ended.
pub(crate) async fn latest(plane: &Plane, deployment: &Deployment) -> Result<Option<Run>, Error> {
    let Some(current) = &deployment.current else { return Ok(None) };
    let found = plane.store.run(&deployment.owner, &deployment.id, current).await?;
    Ok(found.or_else(|| deployment.carried(current, plane.now()).cloned()))
}

/// The run that holds a deployment's right to run, if it has not ended.
pub(crate) async fn going(plane: &Plane, deployment: &Deployment) -> Result<Option<Run>, Error> {
    if deployment.current.as_ref().is_some_and(|current| plane.memory.finals.has(current)) {
        return Ok(None);
    }
    Ok(latest(plane, deployment).await?.filter(|run| !run.state.is_final()))
}

/// Reads a run: its record, or, as long as it has none, what its deployment carries.
pub(crate) async fn read(
    plane: &Plane,
    owner: &OwnerId,
    deployment: &DeploymentId,
    run: &RunId,
) -> Result<Option<Run>, Error> {
    if let Some(found) = plane.store.run(owner, deployment, run).await? {
        return Ok(Some(found));
    }
    let Some(head) = plane.store.deployment(owner, deployment).await? else { return Ok(None) };
    // Its record may have been written since.
    let found = plane.store.run(owner, deployment, run).await?;
    Ok(found.or_else(|| head.carried(run, plane.now()).cloned()))
}

/// Rings for a run that was just made and waits for its turn. Where its bell comes back to this process, its worker need not read the two
/// again: its claim writes both, on condition that they are as they were.
pub(crate) async fn ring_made(plane: &Plane, run: &Run, deployment: &Deployment) {
    debug_assert!(!deployment.is_turn_of(&run.id), "its claim would not look at the deployment");
    if plane.workers.this().is_alone {
        plane.memory.made.keep(run, deployment);
    }
    plane.ring(bell(run), Duration::ZERO).await;
}

/// The bell that a run is executed at.
pub(crate) fn bell(run: &Run) -> Bell {
    Bell::Run { owner: run.owner.clone(), deployment: run.deployment.clone(), run: run.id.clone() }
}

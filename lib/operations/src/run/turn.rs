//! The run that holds a deployment's right to run, and the bell of a run.

use crate::bell::Bell;
use crate::error::Error;
use crate::plane::Plane;
use tidemill_model::deployment::Deployment;
use tidemill_model::run::Run;

/// The run that last held a deployment's right to run, whether or not it has ended.
pub(crate) async fn latest(plane: &Plane, deployment: &Deployment) -> Result<Option<Run>, Error> {
    let Some(current) = &deployment.current else { return Ok(None) };
    Ok(plane.store.run(&deployment.owner, &deployment.id, current).await?)
}

/// The run that holds a deployment's right to run, if it has not ended.
pub(crate) async fn going(plane: &Plane, deployment: &Deployment) -> Result<Option<Run>, Error> {
    Ok(latest(plane, deployment).await?.filter(|run| !run.state.is_final()))
}

/// The bell that a run is executed at.
pub(crate) fn bell(run: &Run) -> Bell {
    Bell::Run { owner: run.owner.clone(), deployment: run.deployment.clone(), run: run.id.clone() }
}

//! Carries out a rollout, at a bell: claims it, and leaves the work to `RolloutWorker`.
//!
//! What became of each resource is written once, so a worker that dies is followed by one that goes on with the rest.

use crate::bell::BellOutcome;
use crate::error::{Code, Error};
use crate::lease::{claim_rollout, give_back_rollout};
use crate::plane::Plane;
use crate::rollout::worker::RolloutWorker;
use tidemill_model::ids::{OwnerId, RolloutId};
use tidemill_model::rollout::Rollout;

/// Carries a rollout out, if it is to be carried out and no worker holds it.
pub async fn run(plane: &Plane, owner: &OwnerId, id: &RolloutId) -> Result<BellOutcome, Error> {
    let Some(found) = plane.store.rollout(owner, id).await? else { return Ok(BellOutcome::Done) };
    if found.state.is_final() || found.is_held(plane.now(), plane.workers.this()) || plane.is_stopping() {
        return Ok(BellOutcome::Done);
    }
    let Some(rollout) = claim_rollout(plane, &found).await? else { return Ok(BellOutcome::Done) };
    let mut worker = RolloutWorker { plane, rollout };
    if let Err(error) = worker.work().await {
        // A table that does not answer says nothing about the rollout.
        let attempts = worker.rollout.attempts + u32::from(!matches!(error.code, Code::Unavailable | Code::DiskFull));
        // The bell rings again, and the worker that answers it goes on at once.
        give_back_rollout(plane, &mut worker.rollout, attempts).await?;
        return Err(error);
    }
    Ok(BellOutcome::Done)
}

/// Ends a rollout whose worker is gone and that no other worker took.
pub(crate) async fn give_up(plane: &Plane, found: &Rollout) -> Result<(), Error> {
    let Some(rollout) = claim_rollout(plane, found).await? else { return Ok(()) };
    RolloutWorker { plane, rollout }.give_up().await
}

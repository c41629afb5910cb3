//! Executes a run, at a bell: decides whether it is its turn, claims it, and leaves the work to `RunWorker`.

use crate::bell::BellOutcome;
use crate::error::{Code, Error};
use crate::lease::{RunClaim, claim_run};
use crate::plane::Plane;
use crate::run::request_cancel::request_cancel;
use crate::run::turn::read;
use crate::run::worker::{RunWorker, until};
use std::time::Duration;
use tidemill_model::deployment::Deployment;
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::ids::{OwnerId, RunId};
use tidemill_model::run::{Run, State};

/// How soon a run that waits for another one looks again.
const BUSY_DELAY: Duration = Duration::from_millis(500);

/// How often a claim is tried at once that met a change of the deployment.
const TRIES: usize = 3;

/// Executes a run, if it is to be executed and no worker holds it.
pub async fn run(plane: &Plane, owner: &OwnerId, deployment: &DeploymentId, run: &RunId) -> Result<BellOutcome, Error> {
    let mut made = plane.memory.made.take(run);
    for _ in 0..TRIES {
        let is_read = made.is_none();
        let (found, deployment) = match made.take() {
            Some((run, deployment)) => (run, Some(deployment)),
            None => match read(plane, owner, deployment, run).await? {
                Some(found) => (found, None),
                None => return Ok(BellOutcome::Done),
            },
        };
        match go_on(plane, found, deployment).await? {
            GoneOn::Answered(outcome) => return Ok(outcome),
            GoneOn::Changed => {}
            // Another worker took it, unless it was another caller who changed it since it was made.
            GoneOn::Lost if is_read => return Ok(BellOutcome::Done),
            GoneOn::Lost => {}
        }
    }
    Ok(BellOutcome::RingAgain(BUSY_DELAY))
}

/// What became of a run as it was known.
enum GoneOn {
    Answered(BellOutcome),
    /// Its deployment has changed since.
    Changed,
    /// It has changed since.
    Lost,
}

async fn go_on(plane: &Plane, found: Run, deployment: Option<Deployment>) -> Result<GoneOn, Error> {
    if found.state.is_final() || found.is_open_task() {
        return Ok(GoneOn::Answered(BellOutcome::Done));
    }
    let now = plane.now();
    if let Some(wait) = found.not_before.filter(|at| found.state == State::Queued && *at > now) {
        return Ok(GoneOn::Answered(BellOutcome::RingAgain(until(now, wait))));
    }
    if !found.may_be_claimed(now, plane.workers.this()) || plane.is_stopping() {
        return Ok(GoneOn::Answered(BellOutcome::Done));
    }
    // Before the claim, so that no request falls between the two.
    let cancelled = plane.memory.cancels.of(&found.id);
    let outcome = match claim_run(plane, &found, deployment, now).await? {
        RunClaim::Taken(run) => RunWorker::of(plane, *run, cancelled).work().await?,
        RunClaim::Behind(going) => wait_behind(plane, &found.owner, &found.deployment, &going).await?,
        // Resuming the deployment rings again.
        RunClaim::Held => BellOutcome::Done,
        RunClaim::Removed => cancel(plane, found).await?,
        RunClaim::Collided => return Ok(GoneOn::Changed),
        RunClaim::Lost => return Ok(GoneOn::Lost),
    };
    Ok(GoneOn::Answered(outcome))
}

/// Cancels a run whose deployment was removed before it began.
async fn cancel(plane: &Plane, run: Run) -> Result<BellOutcome, Error> {
    match request_cancel(plane, run, plane.now()).await {
        // It has ended already.
        Err(error) if error.code == Code::FailedPrecondition => Ok(BellOutcome::Done),
        cancelled => cancelled.map(|_| BellOutcome::Done),
    }
}

/// Waits for the run that holds the right to run, and executes it if no worker holds it: its bell may be lost, or stand
/// in line behind the one that is being answered.
async fn wait_behind(
    plane: &Plane,
    owner: &OwnerId,
    deployment: &DeploymentId,
    going: &RunId,
) -> Result<BellOutcome, Error> {
    match Box::pin(run(plane, owner, deployment, going)).await? {
        BellOutcome::Done => Ok(BellOutcome::RingAgain(BUSY_DELAY)),
        again => Ok(again),
    }
}

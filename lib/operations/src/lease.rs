//! The one lease: how a process takes the right to act on a run, a rollout or an object of a task, keeps it while it
//! works, and gives it back.
//!
//! Only the functions here make a [`Held`], which every write of such a record asks for; a write whose lease was lost
//! meets another epoch and changes nothing.

use crate::error::Error;
use crate::plane::Plane;
use crate::run::turn::going;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use tidemill_model::deployment::Deployment;
use tidemill_model::ids::{OwnerId, RunId};
use tidemill_model::lease::Lease;
use tidemill_model::rollout::{Progress, Rollout};
use tidemill_model::run::{self, Run};
use tidemill_model::task::Task;
use tidemill_store::{Arriving, Held, Part};

/// How long a lease lasts. It is renewed at every save and, during a long step, three times as often.
pub const LEASE: SignedDuration = SignedDuration::from_secs(30);
/// How often a worker renews its lease while it has nothing to save.
pub const RENEWAL: Duration = Duration::from_secs(10);
/// How long after its last renewal a lease has run out on the clock of every process.
pub const LEASE_OVER: Duration = Duration::from_secs(LEASE.as_secs() as u64 + 1);

/// Whether a write found the lease as it was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a worker that lost its lease is to stop"]
pub enum Holding {
    Kept,
    /// Another worker has claimed the record, or it has ended: nothing was written, and nothing more may be.
    Lost,
}

/// A lease of this process from now on.
pub fn granted(plane: &Plane) -> Lease {
    Lease { holder: plane.workers.me.clone(), until: plane.now() + LEASE }
}

/// How the claim of a run ended.
pub enum RunClaim {
    Taken(Box<Held<Run>>),
    /// Another run holds the right to run.
    Behind(RunId),
    /// It waits until its deployment is resumed.
    Held,
    /// It is to be cancelled, because its deployment was removed.
    Removed,
    /// The deployment was changed at the same time.
    Collided,
    /// Another worker took it, or its deployment is gone.
    Lost,
}

/// Claims a run, and the deployment's right to run with it where the run does not hold that yet. The deployment is read unless it is given.
pub async fn claim_run(
    plane: &Plane,
    before: &Run,
    deployment: Option<Deployment>,
    now: Timestamp,
) -> Result<RunClaim, Error> {
    let deployment = match (before.takes_turns(), deployment) {
        (false, _) => None,
        (true, Some(deployment)) => Some(deployment),
        (true, None) => match plane.store.deployment(&before.owner, &before.deployment).await? {
            None => return Ok(RunClaim::Lost),
            deployment => deployment,
        },
    };
    let going = match deployment.as_ref().filter(|deployment| !deployment.is_turn_of(&before.id)) {
        Some(deployment) => going(plane, deployment).await?.map(|run| run.id),
        None => None,
    };
    let (run, holder) = match before.claim(deployment.as_ref(), going.as_ref(), granted(plane), now) {
        run::Claim::Granted { run, deployment } => (run, deployment),
        run::Claim::Behind(going) => return Ok(RunClaim::Behind(going)),
        run::Claim::Held => return Ok(RunClaim::Held),
        run::Claim::Removed => return Ok(RunClaim::Removed),
    };
    let mut transaction = plane.store.transaction();
    if let (Some(before), Some(after)) = (&deployment, &holder) {
        transaction = transaction.deployment(after, before.revision)?;
    }
    match transaction.claim_run(before, *run)?.commit().await {
        Ok(held) => {
            plane.notify_watchers(&before.owner).await;
            Ok(RunClaim::Taken(Box::new(held)))
        }
        Err(error) if error.rejects(Part::Run) => Ok(RunClaim::Lost),
        Err(error) if error.rejects(Part::Deployment) => Ok(RunClaim::Collided),
        Err(error) => Err(error.into()),
    }
}

/// A run with its lease renewed, to be saved.
pub fn renewed(plane: &Plane, run: &Held<Run>) -> Run {
    Run { lease: Some(granted(plane)), ..Run::clone(run) }
}

/// Claims a rollout; `None` if another worker was faster.
pub async fn claim_rollout(plane: &Plane, before: &Rollout) -> Result<Option<Held<Rollout>>, Error> {
    let deaths = before.deaths_when_claimed();
    match plane.store.claim_rollout(before, &granted(plane), deaths, plane.now()).await {
        Ok(held) => Ok(Some(held)),
        Err(error) if error.rejects(Part::Rollout) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Writes how far a rollout is, and renews its lease.
pub async fn renew_rollout(plane: &Plane, held: &mut Held<Rollout>, progress: &Progress) -> Result<Holding, Error> {
    write_rollout(plane, held, progress, granted(plane)).await
}

/// Leaves a rollout to the next worker, which may claim it at once.
pub async fn give_back_rollout(plane: &Plane, held: &mut Held<Rollout>, attempts: u32) -> Result<(), Error> {
    let progress = held.progress_left(attempts);
    // Where the lease was lost, there is none to give back.
    write_rollout(plane, held, &progress, Lease::given_back(plane.now())).await.map(drop)
}

async fn write_rollout(
    plane: &Plane,
    held: &mut Held<Rollout>,
    progress: &Progress,
    lease: Lease,
) -> Result<Holding, Error> {
    match plane.store.rollout_progress(held, progress, &lease).await {
        Ok(after) => {
            *held = after;
            Ok(Holding::Kept)
        }
        Err(error) if error.rejects(Part::Rollout) => Ok(Holding::Lost),
        Err(error) => Err(error.into()),
    }
}

/// Accepts an object of a task. Its worker shares the lease on the task's objects with the others.
pub async fn claim_object(
    plane: &Plane,
    owner: &OwnerId,
    token: &str,
    object: &Arriving<'_>,
) -> Result<Held<Task>, tidemill_store::Error> {
    let now = plane.now();
    plane.store.accept(owner, token, object, now, now + LEASE).await
}

/// Renews the lease on a task's objects. Gives the task as it is now.
pub async fn renew_object(plane: &Plane, held: &Held<Task>) -> Result<Task, tidemill_store::Error> {
    plane.store.keep_busy(held, plane.now() + LEASE).await
}

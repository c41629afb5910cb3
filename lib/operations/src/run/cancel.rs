//! Asks a run to end. One that waits ends at once; one that is going finishes the object in hand, takes no other, and
//! ends as cancelled.

use crate::Operation;
use crate::answer::RunAnswer;
use crate::deployment::change::HISTORY;
use crate::error::{Code, Error};
use crate::hint::Noun;
use crate::plane::{Call, Plane};
use crate::run::get::find;
use crate::run::turn::bell;
use crate::task;
use jiff::Timestamp;
use serde::Deserialize;
use std::time::Duration;
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::ids::{ProjectId, RunId};
use tidemill_model::key::Scope;
use tidemill_model::run::Run;
use tidemill_store::Part;

/// How often a cancel that met the worker's own write tries again.
const TRIES: usize = 20;

pub struct Cancel;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub run: RunId,
    pub project: Option<ProjectId>,
}

impl Operation for Cancel {
    const NAME: &'static str = "run_cancel";
    const SCOPE: Scope = Scope::Control;
    type Input = Input;
    type Output = RunAnswer;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<RunAnswer, Error> {
        let run = find(plane, call, &input.run, input.project.map(DeploymentId::from).as_ref()).await?;
        if let Some(hash) = &run.task
            && let Some(task) = plane.store.task_by_hash(&call.owner, hash).await?
        {
            task::End::run(plane, call, task::end::Input { token: task.token }).await?;
            return find(plane, call, &run.id, Some(&run.deployment)).await.map(RunAnswer::from);
        }
        request(plane, run, call.now).await.map(RunAnswer::from)
    }
}

/// Asks a run to end that was just read, but not the task that it may be of. Gives the run as it is then.
///
/// # Errors
/// [`Code::FailedPrecondition`] if it has ended already.
pub(crate) async fn request(plane: &Plane, run: Run, now: Timestamp) -> Result<Run, Error> {
    let mut before = run;
    for _ in 0..TRIES {
        if before.state.is_final() {
            let message = format!("run `{}` has already ended: {}", before.id, before.state);
            return Err(Error::new(Code::FailedPrecondition, message).hint("there is nothing left to cancel"));
        }
        if before.cancel_requested_at.is_some() {
            return Ok(before);
        }
        let expires = before.queued_at + HISTORY;
        let (transaction, after) = plane.store.transaction().cancel_run(&before, now, expires)?;
        match transaction.commit().await {
            Ok(()) => {
                plane.ring(bell(&after), Duration::ZERO).await;
                if after.task.is_some() {
                    plane.notify_watchers(&after.owner).await;
                }
                return Ok(after);
            }
            Err(error) if error.rejects(Part::Run) => {
                let found = plane.store.run(&before.owner, &before.deployment, &before.id).await?;
                before = found.ok_or_else(|| Error::not_found(Noun::Run, &before.id))?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::new(Code::Unavailable, "the run kept changing while it was to be cancelled").hint("try again"))
}

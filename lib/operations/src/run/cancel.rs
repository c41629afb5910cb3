//! Asks a run to end. One that waits ends at once; one that is going finishes the object in hand, takes no other, and
//! ends as cancelled.

use crate::Operation;
use crate::answer::RunAnswer;
use crate::error::Error;
use crate::plane::{Call, Plane};
use crate::run::get::find;
use crate::run::request_cancel::request_cancel;
use crate::task;
use serde::Deserialize;
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::ids::{ProjectId, RunId};
use tidemill_model::key::Scope;

pub struct Cancel;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub run: RunId,
    pub project: Option<ProjectId>,
}

impl Operation for Cancel {
    const NAME: &'static str = "run_cancel";
    const SCOPE: Option<Scope> = Some(Scope::Control);
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
        request_cancel(plane, run, call.now).await.map(RunAnswer::from)
    }
}

//! Takes a project off. Its versions, its history and its hook's URL stay.
//!
//! A run that is going goes on to its end, and those that have not begun are cancelled: here, or by their bells if the process
//! dies on the way.

use crate::answer::OfProject;
use crate::deployment::change::change_state;
use crate::error::{Code, Error};
use crate::plane::{Call, Plane};
use crate::run::open::OpenRuns;
use crate::run::request_cancel::request_cancel;
use serde::Serialize;
use tidemill_model::audit;
use tidemill_model::key::Scope;

pub struct Remove;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// Runs that had not begun.
    pub cancelled_runs: usize,
}

impl crate::Operation for Remove {
    const NAME: &'static str = "deployment_remove";
    const SCOPE: Option<Scope> = Some(Scope::Control);
    type Input = OfProject;
    type Output = Output;

    async fn run(plane: &Plane, call: &Call, input: OfProject) -> Result<Output, Error> {
        let remove = |deployment: &mut tidemill_model::deployment::Deployment| deployment.remove(deployment.updated_at);
        let removed = change_state(plane, call, audit::Operation::DeploymentRemove, &input.project, remove).await?;
        let mut cancelled_runs = 0;
        for run in OpenRuns::of(plane, &removed, call.now).await?.waiting() {
            match request_cancel(plane, run.clone(), plane.now()).await {
                Ok(_) => cancelled_runs += 1,
                // It has begun and ended, or its bell was faster.
                Err(error) if error.code == Code::FailedPrecondition => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Output { cancelled_runs })
    }
}

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
use tidemill_model::deployment::Deployment;
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
        let remove = |deployment: &mut Deployment| deployment.remove(deployment.updated_at);
        let removed = change_state(plane, call, audit::Operation::DeploymentRemove, &input.project, remove).await?;
        // It is removed now, whatever comes of the rest: a failure here is not the caller's.
        let cancelled_runs = cancel_waiting(plane, &removed, call).await.unwrap_or_else(|error| {
            let project = &removed.id;
            tracing::warn!(project.id = %project, error = error.with_causes(), "the runs that wait are left to their bells");
            0
        });
        Ok(Output { cancelled_runs })
    }
}

/// Cancels the runs that have not begun, and gives how many those were.
async fn cancel_waiting(plane: &Plane, removed: &Deployment, call: &Call) -> Result<usize, Error> {
    let mut cancelled = 0;
    for run in OpenRuns::of(plane, removed, call.now).await?.waiting() {
        match request_cancel(plane, run.clone(), plane.now()).await {
            Ok(_) => cancelled += 1,
            // It has begun and ended, or its bell was faster.
            Err(error) if error.code == Code::FailedPrecondition => {}
            Err(error) => return Err(error),
        }
    }
    Ok(cancelled)
}

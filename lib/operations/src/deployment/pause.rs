//! Stops a deployment from being triggered. A run that is going goes on to its end; due ticks are recorded as skipped.

use crate::answer::DeploymentAnswer;
use crate::deployment::change::change_state;
use crate::error::Error;
use crate::plane::{Call, Plane};
use crate::run::open::OpenRuns;
use serde::Deserialize;
use tidemill_model::audit;
use tidemill_model::deployment::{Deployment, checked_note};
use tidemill_model::ids::ProjectId;
use tidemill_model::key::Scope;

pub struct Pause;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub project: ProjectId,
    /// Why it was paused, for later readers.
    pub note: Option<String>,
}

impl crate::Operation for Pause {
    const NAME: &'static str = "deployment_pause";
    const SCOPE: Option<Scope> = Some(Scope::Control);
    type Input = Input;
    type Output = DeploymentAnswer;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<DeploymentAnswer, Error> {
        let note = checked_note(input.note)?;
        let pause = |deployment: &mut Deployment| deployment.pause(note.clone(), deployment.updated_at);
        let paused = change_state(plane, call, audit::Operation::DeploymentPause, &input.project, pause).await?;
        let held = OpenRuns::of(plane, &paused, call.now).await?.waiting().count();
        Ok(DeploymentAnswer { held_runs: Some(held), ..DeploymentAnswer::of(plane, &paused) })
    }
}

//! One deployment, with its pipeline as it was sent.

use crate::answer::{DeploymentAnswer, LastRunAnswer};
use crate::deployment::change::existing;
use crate::deployment::definition::stored;
use crate::error::Error;
use crate::plane::{Call, Plane};
use crate::run::turn::latest;
use tidemill_model::key::Scope;

pub struct Get;

impl crate::Operation for Get {
    const NAME: &'static str = "deployment_get";
    const SCOPE: Option<Scope> = Some(Scope::Monitor);
    type Input = crate::answer::OfProject;
    type Output = DeploymentAnswer;

    async fn run(plane: &Plane, call: &Call, input: Self::Input) -> Result<DeploymentAnswer, Error> {
        let deployment = existing(plane, &call.owner, &input.project).await?;
        let version = plane.store.version(&call.owner, &input.project, deployment.version).await?;
        let version = version.ok_or_else(|| Error::internal("a deployment's version is missing"))?;
        let pipeline = stored(plane, &call.owner, &input.project, &version.sha256).await?;
        let last_run = latest(plane, &deployment).await?;
        Ok(DeploymentAnswer {
            pipeline: Some(pipeline.json),
            pipeline_text: pipeline.text,
            last_run: Some(last_run.map(LastRunAnswer::from)),
            ..DeploymentAnswer::of(plane, &deployment).seen_by(call)
        })
    }
}

//! One run, with its result.

use crate::answer::RunAnswer;
use crate::error::Error;
use crate::hint::Noun;
use crate::plane::{Call, Plane};
use crate::run::turn::read;
use serde::Deserialize;
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::ids::{ProjectId, RunId};
use tidemill_model::key::Scope;
use tidemill_model::run::Run;

pub struct Get;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub run: RunId,
    /// Spares the look into the index, which may lag behind by a moment.
    pub project: Option<ProjectId>,
}

impl crate::Operation for Get {
    const NAME: &'static str = "run_get";
    const SCOPE: Option<Scope> = Some(Scope::Monitor);
    type Input = Input;
    type Output = RunAnswer;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<RunAnswer, Error> {
        let run = find(plane, call, &input.run, input.project.map(DeploymentId::from).as_ref()).await?;
        answer(plane, run).await
    }
}

/// Finds one of the caller's runs.
pub(crate) async fn find(
    plane: &Plane,
    call: &Call,
    run: &RunId,
    deployment: Option<&DeploymentId>,
) -> Result<Run, Error> {
    let found = match deployment {
        Some(deployment) => read(plane, &call.owner, deployment, run).await?,
        None => None,
    };
    let found = match found {
        Some(found) => Some(found),
        // Runs of its environments are elsewhere.
        None => {
            let found = plane.store.run_anywhere(&call.owner, run).await?;
            found.filter(|run| deployment.is_none_or(|of| of.project() == run.deployment.project()))
        }
    };
    found.ok_or_else(|| Error::not_found(Noun::Run, run))
}

/// A run with its result and its counts, wherever those are stored.
pub(crate) async fn answer(plane: &Plane, mut run: Run) -> Result<RunAnswer, Error> {
    if let Some(sha256) = &run.components_sha256 {
        run.components = text(plane, &run, sha256).await?;
    }
    if let Some(sha256) = &run.result_sha256 {
        run.result = text(plane, &run, sha256).await?;
    }
    Ok(RunAnswer::from(run))
}

async fn text(plane: &Plane, run: &Run, sha256: &str) -> Result<Option<String>, Error> {
    let body = plane.store.run_body(&run.owner, run.deployment.project(), sha256).await?;
    Ok(body.and_then(|bytes| String::from_utf8(bytes).ok()))
}

//! One version, with its pipeline as it was sent.

use crate::answer::VersionAnswer;
use crate::deployment::definition::stored;
use crate::error::Error;
use crate::plane::{Call, Plane};
use serde::Deserialize;
use tidemill_model::ids::ProjectId;
use tidemill_model::key::Scope;

pub struct Get;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub project: ProjectId,
    pub version: u32,
}

impl crate::Operation for Get {
    const NAME: &'static str = "version_get";
    const SCOPE: Option<Scope> = Some(Scope::Monitor);
    type Input = Input;
    type Output = VersionAnswer;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<VersionAnswer, Error> {
        let found = plane.store.version(&call.owner, &input.project, input.version).await?;
        let version = found.ok_or_else(|| Error::no_version(&input.project, input.version))?;
        let pipeline = stored(plane, &call.owner, &input.project, &version.sha256).await?;
        Ok(VersionAnswer {
            pipeline: Some(pipeline.json),
            pipeline_text: pipeline.text,
            ..VersionAnswer::from(version)
        })
    }
}

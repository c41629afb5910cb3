//! The pipeline that a task runs, as it was sent: `${NAME}` stays as it is.

use crate::deployment::definition::stored_pipeline;
use crate::error::Error;
use crate::plane::{Call, Plane};
use crate::task::life::find_to_look;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tidemill_model::key::Scope;

pub struct Pipeline;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub token: String,
}

#[derive(Debug, Serialize)]
pub struct Output {
    pub pipeline: Box<RawValue>,
}

impl crate::Operation for Pipeline {
    const NAME: &'static str = "task_pipeline";
    const SCOPE: Option<Scope> = Some(Scope::Monitor);
    type Input = Input;
    type Output = Output;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Output, Error> {
        let task = find_to_look(plane, call, &input.token).await?;
        let pipeline = stored_pipeline(plane, &task.owner, task.deployment.project(), &task.pipeline_sha256).await?;
        Ok(Output { pipeline })
    }
}

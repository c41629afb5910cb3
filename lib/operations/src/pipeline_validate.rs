//! Compiles a pipeline and reports all its problems, without deploying it.

use crate::Detail;
use crate::deployment::{self, definition::Definition};
use crate::error::Error;
use crate::plane::{Call, Plane};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tidemill_model::key::Scope;
use tidemill_model::schedule::Schedule;
use tidemill_plan::Start;

pub struct PipelineValidate;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub pipeline: Box<RawValue>,
    pub schedule: Option<String>,
    pub timezone: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct Output {
    pub valid: bool,
    pub errors: Vec<Detail>,
    pub warnings: Vec<Detail>,
    /// The components that would run, in their order; empty when it is not valid.
    pub order: Vec<String>,
}

impl crate::Operation for PipelineValidate {
    const NAME: &'static str = "pipeline_validate";
    const SCOPE: Option<Scope> = Some(Scope::Monitor);
    type Input = Input;
    type Output = Output;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Output, Error> {
        let (mut output, definition) = compiled(plane, &input);
        if let Some(definition) = definition {
            output.warnings = definition.all_warnings(plane, &call.owner).await?;
        }
        Ok(output)
    }
}

/// Reports the problems. It reads no owner's data, so no key is needed.
pub fn check(plane: &Plane, input: &Input) -> Output {
    compiled(plane, input).0
}

fn compiled(plane: &Plane, input: &Input) -> (Output, Option<Definition>) {
    let schedule =
        deployment::definition::schedule(input.schedule.as_deref(), input.timezone.as_deref(), &Schedule::MANUAL);
    let start = match (&input.schedule, &schedule) {
        (Some(_), Ok(schedule)) => deployment::definition::start_on(schedule),
        _ => Start::Unknown,
    };
    let mut errors = schedule.err().map(|error| error.details).unwrap_or_default();
    match Definition::compile(plane, &input.pipeline, start) {
        Ok(definition) => {
            let (valid, warnings) = (errors.is_empty(), definition.warnings());
            let order = definition.compiled.plan.nodes.iter().map(|node| node.id.clone()).collect();
            (Output { valid, errors, warnings, order }, Some(definition))
        }
        Err(refused) => {
            errors.extend(refused.details);
            (Output { valid: false, errors, warnings: Vec::new(), order: Vec::new() }, None)
        }
    }
}

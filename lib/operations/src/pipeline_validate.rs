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

    async fn run(plane: &Plane, _: &Call, input: Input) -> Result<Output, Error> {
        Ok(check(plane, &input))
    }
}

/// Reports the problems. It reads no owner's data, so no key is needed.
pub fn check(plane: &Plane, input: &Input) -> Output {
    let schedule =
        deployment::definition::schedule(input.schedule.as_deref(), input.timezone.as_deref(), &Schedule::MANUAL);
    let start = match (&input.schedule, &schedule) {
        (Some(_), Ok(schedule)) => deployment::definition::start_on(schedule),
        _ => Start::Unknown,
    };
    let mut errors = schedule.err().map(|error| error.details).unwrap_or_default();
    match Definition::compile(plane, &input.pipeline, start) {
        Ok(definition) => Output {
            valid: errors.is_empty(),
            errors,
            warnings: definition.warnings(),
            order: definition.compiled.plan.nodes.iter().map(|node| node.id.clone()).collect(),
        },
        Err(refused) => {
            errors.extend(refused.details);
            Output { valid: false, errors, warnings: Vec::new(), order: Vec::new() }
        }
    }
}

//! `rrext_validate`: what is wrong with a pipeline, without deploying it.

use super::{CommandRequest, body};
use crate::dap::failure::{Failure, with_hint};
use crate::dap::frame::Body;
use serde::Serialize;
use serde_json::value::RawValue;
use tidemill_model::pipeline::members;
use tidemill_operations::pipeline_validate::{Input, PipelineValidate};
use tidemill_operations::{Call, Detail, Error, Operation, Plane, pipeline_validate};

/// What is right and wrong with a pipeline.
#[derive(Serialize)]
pub struct Validation {
    /// As it was sent, with `version` and `chain`.
    pipeline: Box<RawValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Finding>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Finding>,
}

#[derive(Serialize)]
pub struct Finding {
    message: String,
    /// The kind of finding, as a number; the clients know no others.
    ccode: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
}

impl From<Detail> for Finding {
    fn from(detail: Detail) -> Finding {
        Finding { message: with_hint(&detail.message, detail.hint.as_deref()), ccode: 1, id: detail.component }
    }
}

pub async fn validate(request: CommandRequest) -> Result<Body, Failure> {
    let CommandRequest { plane, call, mut arguments, .. } = request;
    let pipeline = arguments.take("pipeline").filter(|pipeline| pipeline.get() != "null");
    let pipeline = flat(pipeline.ok_or_else(|| Failure::new("pipeline is required"))?);
    if !pipeline.get().starts_with('{') {
        return Err(Failure::new("pipeline must be an object"));
    }
    let source = arguments.raw("source").filter(|source| source.get() != "null").map(|source| source.get());
    body(&validated(&plane, Some(&call), &pipeline, source).await?)
}

/// Checks a pipeline from a source: JSON, instead of its own. With a caller also whether its secrets are set.
pub async fn validated(
    plane: &Plane,
    call: Option<&Call>,
    pipeline: &RawValue,
    source: Option<&str>,
) -> Result<Validation, Failure> {
    let mut checked = pipeline.to_owned();
    if members::member(&checked, "project_id").is_none() {
        // Only a deployment needs one.
        checked = with(&checked, "project_id", "\"unnamed\"");
    }
    if let Some(source) = source {
        checked = with(&checked, "source", source);
    }
    let input = Input { pipeline: checked, schedule: None, timezone: None };
    let output = match call {
        Some(call) => PipelineValidate::run(plane, call, input).await?,
        None => pipeline_validate::check(plane, &input),
    };
    let chain = serde_json::to_string(&output.order).map_err(Error::internal)?;
    let mut shown = with(pipeline, "chain", &chain);
    if members::member(&shown, "version").is_none() {
        shown = with(&shown, "version", "1");
    }
    Ok(Validation {
        pipeline: shown,
        errors: output.errors.into_iter().map(Finding::from).collect(),
        warnings: output.warnings.into_iter().map(Finding::from).collect(),
    })
}

fn with(pipeline: &RawValue, name: &str, value: &str) -> Box<RawValue> {
    members::set_member(pipeline, name, value).unwrap_or_else(|| pipeline.to_owned())
}

/// Files wrap a pipeline as `{"pipeline": {…}}`.
pub fn flat(pipeline: Box<RawValue>) -> Box<RawValue> {
    let inner = members::member(&pipeline, "pipeline").filter(|_| members::member(&pipeline, "components").is_none());
    match inner.and_then(|text| RawValue::from_string(text.to_owned()).ok()) {
        Some(inner) => inner,
        None => pipeline,
    }
}

//! `rrext_validate`: what is wrong with a pipeline, without deploying it.

use super::{Asked, body};
use crate::dap::failure::{Failure, with_hint};
use crate::dap::frame::Body;
use crate::dap::splice;
use serde::Serialize;
use serde_json::value::RawValue;
use tidemill_operations::pipeline_validate::{Input, PipelineValidate};
use tidemill_operations::{Detail, Error, Operation};

#[derive(Serialize)]
struct Validated {
    /// As it was sent, with `version` and `chain`.
    pipeline: Box<RawValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Finding>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Finding>,
}

#[derive(Serialize)]
struct Finding {
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

pub async fn validate(asked: Asked) -> Result<Body, Failure> {
    let Asked { plane, call, mut arguments, .. } = asked;
    let pipeline = arguments.take("pipeline").filter(|pipeline| pipeline.get() != "null");
    let pipeline = unwrapped(pipeline.ok_or_else(|| Failure::new("pipeline is required"))?);
    if !pipeline.get().starts_with('{') {
        return Err(Failure::new("pipeline must be an object"));
    }
    let mut checked = pipeline.clone();
    if splice::member(&checked, "project_id").is_none() {
        // Only a deployment needs one.
        checked = with(&checked, "project_id", "\"unnamed\"");
    }
    if let Some(source) = arguments.raw("source").filter(|source| source.get() != "null") {
        checked = with(&checked, "source", source.get());
    }
    let input = Input { pipeline: checked, schedule: None, timezone: None };
    let output = PipelineValidate::run(&plane, &call, input).await?;
    let chain = serde_json::to_string(&output.order).map_err(Error::internal)?;
    let mut shown = with(&pipeline, "chain", &chain);
    if splice::member(&shown, "version").is_none() {
        shown = with(&shown, "version", "1");
    }
    body(&Validated {
        pipeline: shown,
        errors: output.errors.into_iter().map(Finding::from).collect(),
        warnings: output.warnings.into_iter().map(Finding::from).collect(),
    })
}

fn with(pipeline: &RawValue, name: &str, value: &str) -> Box<RawValue> {
    splice::set_member(pipeline, name, value).unwrap_or_else(|| pipeline.to_owned())
}

/// Files wrap a pipeline as `{"pipeline": {…}}`.
fn unwrapped(pipeline: Box<RawValue>) -> Box<RawValue> {
    let inner = splice::member(&pipeline, "pipeline").filter(|_| splice::member(&pipeline, "components").is_none());
    match inner.and_then(|text| RawValue::from_string(text.to_owned()).ok()) {
        Some(inner) => inner,
        None => pipeline,
    }
}

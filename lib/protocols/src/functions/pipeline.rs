//! Pipelines before they are deployed.

use super::{Function, OWNER};
use crate::rocketride::routes;
use crate::route::Route;
use tidemill_operations::pipeline_validate::PipelineValidate;

pub(super) static FUNCTIONS: &[Function] =
    &[Function::of::<PipelineValidate>(Route::post("/v1/validate")).may(OWNER).memory(512).also_at(&routes::VALIDATE)];

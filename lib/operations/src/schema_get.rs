//! The JSON Schemas of pipelines and deploy files, for editors. They hold no owner's data, so no key is needed.

use crate::error::Error;
use crate::plane::Plane;
use crate::provider_list;
use serde::Deserialize;
use serde_json::Value;
use tidemill_model::invalid::Invalid;
use tidemill_plan::schemas::{Subject, schema};

/// Its name in the table of functions.
pub const NAME: &str = "schema_get";

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// `pipeline` or `deploy`; without it, either.
    pub of: Option<String>,
}

/// The schema for what this plane can run.
pub fn read(plane: &Plane, input: &Input) -> Result<Value, Error> {
    let subject = match input.of.as_deref() {
        None => Subject::File,
        Some(name) => Subject::named(name).ok_or_else(|| {
            let message = format!("there is no schema of `{}`", name.escape_debug());
            Invalid::new("of", message, "give `pipeline` or `deploy`, or leave it out for either")
        })?,
    };
    Ok(schema(subject, provider_list::offered(plane).into_iter()))
}

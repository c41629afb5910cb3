//! Arguments of commands: one that is `null` counts as absent, as an empty text does.

use crate::dap::failure::Failure;
use crate::dap::frame::Arguments;
use serde::de::DeserializeOwned;
use tidemill_model::ids::ProjectId;
use tidemill_operations::Error;

pub fn text(arguments: &Arguments, name: &str) -> Result<Option<String>, Failure> {
    Ok(arguments.text(name)?.filter(|text| !text.is_empty()))
}

pub fn required(arguments: &Arguments, name: &str) -> Result<String, Failure> {
    text(arguments, name)?.ok_or_else(|| Failure::new(format!("{name} is required")))
}

pub fn project(arguments: &Arguments) -> Result<ProjectId, Failure> {
    Ok(ProjectId::parse(required(arguments, "projectId")?).map_err(Error::from)?)
}

/// An argument of another type; `form` says in words which.
pub fn optional<T: DeserializeOwned>(arguments: &Arguments, name: &str, form: &str) -> Result<Option<T>, Failure> {
    let Some(given) = arguments.raw(name) else { return Ok(None) };
    serde_json::from_str(given.get()).map_err(|_| Failure::new(format!("{name} must be {form}")))
}

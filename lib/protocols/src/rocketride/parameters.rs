//! What a request of RocketRide's routes says, in its query and its header. Query parameters that are not known are passed
//! over, as its server does.

use super::envelope::Refusal;
use crate::rest::Request;
use crate::task_refusal::of_task;
use std::sync::Arc;
use tidemill_model::key::Scope;
use tidemill_operations::access::{self, caller::Caller};
use tidemill_operations::{Call, Plane};

/// A parameter of the query that says something.
pub fn parameter<'a>(request: &'a Request<()>, name: &str) -> Option<&'a str> {
    let found = request.query.iter().find(|(found, _)| found == name);
    found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
}

/// Who asks.
pub async fn caller(plane: &Arc<Plane>, request: &Request<()>) -> Result<Caller, Refusal> {
    // A header that is no text is no key; none at all is refused with the same words.
    access::caller::of(plane, request.header("authorization")).await.map_err(|error| of_task(error).into())
}

/// A task, and a caller who may do with it what asks for a scope.
pub struct TaskAddress {
    pub call: Call,
    pub token: String,
}

/// The task that a request is about: the one whose `token` it gives, or whose credential it has.
pub async fn addressed(plane: &Arc<Plane>, request: &Request<()>, scope: Scope) -> Result<TaskAddress, Refusal> {
    let caller = caller(plane, request).await?;
    let missing = || Refusal::Missing("Task token is required".to_owned());
    let token = caller.task(parameter(request, "token")).ok_or_else(missing)?;
    let call = caller.call(scope, Some(&token))?.clone();
    Ok(TaskAddress { call, token })
}

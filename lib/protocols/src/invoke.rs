//! Calls with AWS credentials alone: JSON in, JSON out, no route and no API key. IAM decides who may call.

use crate::rest::typed;
use crate::{error_codes, hints};
use futures::future::BoxFuture;
use serde_json::Value;
use tidemill_operations::{Error, Plane, key};

/// Issues a key.
pub fn key_issue(plane: &Plane, input: Value) -> BoxFuture<'_, Result<Value, Error>> {
    Box::pin(async move {
        let issued = key::issue::run(plane, typed(&input)?).await?;
        serde_json::to_value(issued).map_err(Error::internal)
    })
}

/// An error for its caller: its word, and what to do in one text.
pub fn refusal(error: &Error) -> (&'static str, String) {
    let (_, word) = error_codes::rest(error.code);
    error.log();
    match &error.hint {
        Some(hint) => (word, format!("{}; hint: {}", error.message, hints::rest(hint))),
        None => (word, error.message.clone()),
    }
}

//! The one form of a refusal: `{"statusCode", "error", "message"}`. Clients take no other for what it is, and show the
//! message alone, so that holds what to do, too.

use crate::rest::Response;
use crate::{error_codes, hints};
use futures::future::BoxFuture;
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use serde::Serialize;
use tidemill_operations::{Detail, Error};

/// Longest message, in bytes.
const MESSAGE_LIMIT: usize = 8 * 1024;

/// Why a request is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    status: u16,
    message: String,
    details: Vec<Detail>,
    /// The deployment that stands in the way.
    holder: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RefusalBody<'a> {
    status_code: u16,
    error: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "<[Detail]>::is_empty")]
    details: &'a [Detail],
    #[serde(skip_serializing_if = "Option::is_none")]
    deployment_id: Option<&'a str>,
}

impl Refusal {
    pub fn new(status: u16, message: impl Into<String>) -> Refusal {
        Refusal { status, message: message.into(), details: Vec::new(), holder: None }
    }

    /// A deployment of the same project is under way. Clients wait for this one, or cancel it, so it must be one that
    /// they may ask for.
    pub fn held(by: String) -> Refusal {
        let message = "a deployment of this project is in progress; wait for it, or cancel it";
        Refusal { holder: Some(by), ..Refusal::new(409, message) }
    }

    pub fn response(&self) -> Response {
        let Refusal { status, message, details, holder } = self;
        let error = name(*status);
        let written = RefusalBody { status_code: *status, error, message, details, deployment_id: holder.as_deref() };
        let response = Response::json(*status, &written);
        match status {
            401 => response.header(WWW_AUTHENTICATE, "Bearer"),
            503 => response.header(RETRY_AFTER, "1"),
            _ => response,
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        let (status, _) = error_codes::rest(error.code);
        error.log();
        let error = error.worded(hints::checkly);
        let message = error.in_lines(MESSAGE_LIMIT);
        Refusal { status, message, details: error.details, holder: None }
    }
}

/// Puts an answer into its form.
pub fn answered<'a>(answered: impl Future<Output = Result<Response, Refusal>> + Send + 'a) -> BoxFuture<'a, Response> {
    Box::pin(async move { answered.await.unwrap_or_else(|refusal| refusal.response()) })
}

/// What a status is called.
fn name(status: u16) -> &'static str {
    let status = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    status.canonical_reason().unwrap_or("Error")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use tidemill_operations::Code;

    fn body(refusal: Refusal) -> Value {
        serde_json::from_slice(&refusal.response().body).unwrap()
    }

    #[test]
    fn a_refusal_says_its_status_in_numbers_and_words_and_what_to_do() {
        let error = Error::new(Code::TooLarge, "the body is too large").hint("send less");

        let answer = body(error.into());

        assert_eq!(
            answer,
            json!({"statusCode": 413, "error": "Payload Too Large", "message": "the body is too large; send less"})
        );
    }

    #[test]
    fn a_conflict_names_the_deployment_in_the_way_as_text() {
        let answer = body(Refusal::held("42".to_owned()));

        assert_eq!(answer["deploymentId"], "42");
        assert_eq!((&answer["statusCode"], &answer["error"]), (&json!(409), &json!("Conflict")));
    }

    #[test]
    fn a_caller_without_a_key_learns_how_to_send_one() {
        let response = Refusal::from(Error::new(Code::Unauthenticated, "the request has no API key")).response();

        assert_eq!((response.status, &response.headers[WWW_AUTHENTICATE]), (401, &"Bearer".parse().unwrap()));
    }
}

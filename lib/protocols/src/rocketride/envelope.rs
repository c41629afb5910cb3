//! The envelope: `{"status": "OK", "data": …}` or `{"status": "Error", "error": …}`.

use crate::dap::Failure;
use crate::error_codes;
use crate::rest::Response;
use futures::future::BoxFuture;
use http::HeaderMap;
use http::header::RETRY_AFTER;
use serde_json::{Value, json};
use std::time::Duration;
use tidemill_operations::{Code, Error};

/// What an answer holds; nothing, where being asked for is all.
pub type EnvelopeResult = Result<Option<Value>, Refusal>;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// What the request must have is not there.
    Missing(String),
    /// The query or the body has what cannot be read.
    Unreadable(String),
    Unauthenticated,
    Failed {
        status: u16,
        failure: Failure,
        /// When to ask again, if that helps.
        retry_after: Option<Duration>,
    },
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        match error.code {
            Code::Unauthenticated => Refusal::Unauthenticated,
            code => {
                let passes = matches!(code, Code::RateLimited | Code::Unavailable | Code::DiskFull);
                let retry_after = passes.then_some(error.retry_after);
                Refusal::Failed { status: error_codes::rocketride(code), failure: error.into(), retry_after }
            }
        }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Refusal {
        Refusal::Failed { status: 400, failure, retry_after: None }
    }
}

/// Puts an answer into its envelope.
pub fn enveloped<'a>(
    headers: HeaderMap,
    answered: impl Future<Output = EnvelopeResult> + Send + 'a,
) -> BoxFuture<'a, Response> {
    Box::pin(async move {
        match answered.await {
            Ok(None) => Response::json(200, &json!({"status": "OK"})),
            Ok(Some(data)) => Response::json(200, &json!({"status": "OK", "data": data})),
            Err(Refusal::Missing(message) | Refusal::Unreadable(message)) => refused(422, json!({"message": message})),
            Err(Refusal::Unauthenticated) => access_denied(&headers),
            Err(Refusal::Failed { status, failure, retry_after }) => {
                let mut body = json!({"message": failure.message});
                if let Some(code) = failure.code {
                    body["code"] = code.into();
                }
                match retry_after {
                    Some(wait) => refused(status, body).header(RETRY_AFTER, &wait.as_secs().to_string()),
                    None => refused(status, body),
                }
            }
        }
    })
}

fn refused(status: u16, error: Value) -> Response {
    Response::json(status, &json!({"status": "Error", "error": error}))
}

/// The one refusal that has other forms, for browsers and for people with a terminal.
fn access_denied(headers: &HeaderMap) -> Response {
    const MESSAGE: &str = "Access denied";
    let refused = match first_accepted(headers) {
        Accepted::Json => refused(401, json!({"error": MESSAGE})),
        Accepted::Html => Response::text(
            401,
            "text/html; charset=utf-8",
            format!("<!DOCTYPE html><title>{MESSAGE}</title><h1>{MESSAGE}</h1>"),
        ),
        Accepted::Text => Response::text(401, "text/plain; charset=utf-8", MESSAGE.to_owned()),
    };
    refused.header(http::header::WWW_AUTHENTICATE, "Bearer")
}

enum Accepted {
    Json,
    Html,
    Text,
}

/// The first type of ours that a caller names: those who name several put theirs first.
fn first_accepted(headers: &HeaderMap) -> Accepted {
    let accept = headers.get(http::header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let named = accept.split(',').map(|range| range.split(';').next().unwrap_or_default().trim());
    let known = named.filter_map(|name| match name {
        "application/json" => Some(Accepted::Json),
        "text/html" => Some(Accepted::Html),
        "text/plain" => Some(Accepted::Text),
        _ => None,
    });
    known.into_iter().next().unwrap_or(Accepted::Json)
}

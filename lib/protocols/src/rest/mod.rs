//! Plain HTTP with JSON: what a request is, what an answer is, and how an operation is called by them. Knows no
//! server: the local front door and the Lambda events are both turned into [`Request`].

mod hook;
mod input;
mod request;
mod response;
mod rollout;
mod rollout_events;
mod serve;
mod task;
mod unread;

pub use hook::hook_receive;
pub use input::{Body, Parameter, Query};
pub(crate) use input::{input, typed};
#[cfg(test)]
pub(crate) use request::block_on;
pub use request::{Arriving, BODY_LIMIT, Request, arrived, broken, late, whole};
pub use response::{RestResponse, RestStream};
pub use rollout::rollout_wait;
pub use rollout_events::rollout_follow;
pub use serve::{once, operation, plane_health, schema_get};
pub use task::task_send;
pub(crate) use unread::Unread;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::Serialize;
use tidemill_operations::{Code, Detail, Error};

/// An answer, for any transport.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Response {
    pub fn json(status: u16, value: &impl Serialize) -> Response {
        match serde_json::to_vec(value) {
            Ok(body) => {
                let headers =
                    HeaderMap::from_iter([(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
                Response { status, headers, body: body.into() }
            }
            Err(error) => Response::error(&Error::internal(error)),
        }
    }

    pub(crate) fn text(status: u16, content_type: &'static str, text: String) -> Response {
        let headers = HeaderMap::from_iter([(http::header::CONTENT_TYPE, HeaderValue::from_static(content_type))]);
        Response { status, headers, body: text.into() }
    }

    /// The one form of every error.
    pub fn error(error: &Error) -> Response {
        let (status, code) = crate::error_codes::rest(error.code);
        error.log();
        let hint = error.hint.as_ref().map(crate::hints::rest);
        let response = Response::refusal(status, code, &error.message, hint.as_deref(), &error.details);
        match error.code {
            Code::Unauthenticated => response.header(http::header::WWW_AUTHENTICATE, "Bearer"),
            Code::RateLimited | Code::Unavailable | Code::DiskFull => {
                response.header(http::header::RETRY_AFTER, &error.retry_after.as_secs().to_string())
            }
            _ => response,
        }
    }

    /// No route has this path.
    pub fn no_route(path: &str) -> Response {
        let message = format!("there is nothing at `{}`", path.escape_debug());
        Response::refusal(404, "not_found", &message, Some("see the API's description for the paths there are"), &[])
    }

    /// The path is there, but not for this method.
    pub fn method_not_allowed(method: &Method, allowed: &[Method]) -> Response {
        let allowed = allowed.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
        let message = format!("this path does not take `{method}`");
        Response::refusal(405, "method_not_allowed", &message, Some(&format!("use {allowed}")), &[])
            .header(http::header::ALLOW, &allowed)
    }

    /// The request is for another host.
    pub(crate) fn other_host(message: &str, hint: &str) -> Response {
        Response::refusal(421, "misdirected_request", message, Some(hint), &[])
    }

    /// The body is not of a type that is read here.
    pub(crate) fn unsupported_media_type(given: &str) -> Response {
        let message = format!("the body is of type `{}`", given.escape_debug());
        Response::refusal(
            415,
            "unsupported_media_type",
            &message,
            Some("send `application/json`, `application/jsonc` or `application/yaml`"),
            &[],
        )
    }

    fn refusal(status: u16, code: &str, message: &str, hint: Option<&str>, details: &[Detail]) -> Response {
        Response::json(status, &Refusal { code, message, hint, details })
    }

    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Response {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }
}

#[derive(Serialize)]
struct Refusal<'a> {
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
    #[serde(skip_serializing_if = "<[Detail]>::is_empty")]
    details: &'a [Detail],
}

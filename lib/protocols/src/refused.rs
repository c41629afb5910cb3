//! What is refused before a handler has it, in the form that the callers of the path know.

use crate::checkly;
use crate::checkly::refusal::Refusal;
use crate::rest::Response;
use http::Method;
use http::header::ALLOW;
use tidemill_operations::Error;

/// No route has this path.
pub fn nowhere(path: &str) -> Response {
    match checkly::is_at(path) {
        true => Refusal::new(404, format!("there is nothing at `{}`", path.escape_debug())).response(),
        false => Response::no_route(path),
    }
}

/// The path is there, but not for this method.
pub fn other_method(path: &str, method: &Method, allowed: &[Method]) -> Response {
    if !checkly::is_at(path) {
        return Response::method_not_allowed(method, allowed);
    }
    let allowed = allowed.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
    let refusal = Refusal::new(405, format!("this path does not take `{method}`; use {allowed}"));
    refusal.response().header(ALLOW, &allowed)
}

/// The request is for a host that is not this plane's.
pub fn other_host(path: &str) -> Response {
    const MESSAGE: &str = "this plane does not answer to the host that the request names";
    const HINT: &str = "use `localhost` or `127.0.0.1`, or start the plane with `--host NAME`";
    match checkly::is_at(path) {
        true => Refusal::new(421, format!("{MESSAGE}; {HINT}")).response(),
        false => Response::other_host(MESSAGE, HINT),
    }
}

/// The request cannot be read.
pub fn unreadable(path: &str, error: Error) -> Response {
    match checkly::is_at(path) {
        true => Refusal::from(error).response(),
        false => Response::error(&error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn body(response: Response) -> Value {
        serde_json::from_slice(&response.body).unwrap()
    }

    #[test]
    fn checklys_clients_are_refused_in_their_form_wherever_they_ask() {
        let nowhere = nowhere("/next/nothing");
        let other = other_method("/v1/projects/a", &Method::PUT, &[Method::GET, Method::DELETE]);

        assert_eq!(other.headers[ALLOW], "GET, DELETE");
        for (response, status, error) in [(nowhere, 404, "Not Found"), (other, 405, "Method Not Allowed")] {
            assert_eq!(response.status, status);
            let body = body(response);
            assert_eq!((&body["statusCode"], &body["error"]), (&json!(status), &json!(error)));
            assert!(body["message"].is_string());
        }
    }

    #[test]
    fn all_others_are_refused_in_ours() {
        assert_eq!(body(nowhere("/v1/projections"))["code"], "not_found");
        assert_eq!(body(other_method("/v1/runs", &Method::PUT, &[Method::GET]))["code"], "method_not_allowed");
    }
}

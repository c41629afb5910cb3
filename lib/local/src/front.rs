//! The front door: turns HTTP into calls of the function table.

use crate::openapi::{Routed, Router};
use axum::body::Body;
use axum::extract::State;
use futures::{StreamExt, TryStreamExt};
use http::request::Parts;
use percent_encoding::percent_decode_str;
use std::sync::Arc;
use tidemill_operations::{Code, Error, Plane};
use tidemill_protocols::rest::{self, Request, Response};

struct Front {
    plane: Arc<Plane>,
    router: Router,
}

/// The service that answers every request but those for a WebSocket.
pub fn service(plane: Arc<Plane>) -> axum::Router {
    let front = Arc::new(Front { plane, router: Router::new() });
    axum::Router::new().fallback(receive).with_state(front)
}

async fn receive(State(front): State<Arc<Front>>, request: axum::extract::Request) -> http::Response<Body> {
    let (parts, body) = request.into_parts();
    sent(front.answer(parts, body).await)
}

/// An answer in the server's form.
pub(crate) fn sent(response: Response) -> http::Response<Body> {
    let mut answer = http::Response::new(Body::from(response.body));
    *answer.status_mut() =
        http::StatusCode::from_u16(response.status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    *answer.headers_mut() = response.headers;
    answer
}

impl Front {
    async fn answer(&self, parts: Parts, body: Body) -> Response {
        let (route, handler, path) = match self.router.route(&parts.method, parts.uri.path()) {
            Routed::To(route, handler, path) => (route, handler, path),
            Routed::OtherMethods(allowed) => return Response::method_not_allowed(&parts.method, &allowed),
            Routed::Nowhere => return Response::no_route(parts.uri.path()),
        };
        let Some(query) = query(parts.uri.query().unwrap_or_default()) else {
            let error = Error::new(Code::InvalidArgument, "the query is not percent-encoded UTF-8")
                .hint("encode it as UTF-8, then percent-encode it");
            return Response::error(&error);
        };
        let body = body.into_data_stream().map_err(|_| rest::broken()).boxed();
        let request = Request { method: parts.method, path, query, headers: parts.headers, body };
        handler.answer(&self.plane, route, request).await
    }
}

/// Splits a query into its parameters; `None` if one is not UTF-8.
fn query(text: &str) -> Option<Vec<(String, String)>> {
    let decode =
        |part: &str| percent_decode_str(&part.replace('+', " ")).decode_utf8().ok().map(|text| text.into_owned());
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decode(name)?, decode(value)?))
        })
        .collect()
}

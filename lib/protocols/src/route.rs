//! Where a function is found over HTTP, and what answers there. The local front door and the Lambda events both come
//! through [`Handler::answer`].

use crate::refused;
use crate::rest::{Arriving, Body, Query, Request, Response, RestResponse, Unread};
use futures::future::BoxFuture;
use http::Method;
use http::header::EXPECT;
use std::sync::Arc;
use tidemill_operations::Plane;

/// Where a function is found over HTTP.
pub struct Route {
    pub method: Method,
    /// As in OpenAPI: `/v1/deployments/{project}`.
    pub path: &'static str,
    pub query: &'static [Query],
    /// Those of the path's parameters that are not text.
    pub path_types: &'static [Query],
    pub body: Body,
    /// The status of a success.
    pub success: u16,
}

/// A route and what answers there.
pub struct Endpoint {
    pub route: Route,
    pub handle: Handler,
}

/// Answers the requests of a route.
#[derive(Clone, Copy)]
pub enum Handler {
    /// Takes the body when all of it is there.
    Whole(HttpHandler),
    /// Takes the body as it arrives.
    Arriving(ArrivingHandler),
    /// Takes no body, and may go on with its answer for long.
    Streaming(StreamingHandler),
}

pub type HttpHandler = for<'a> fn(&'a Plane, &'a Route, Request) -> BoxFuture<'a, Response>;
pub type ArrivingHandler = for<'a> fn(&'a Arc<Plane>, &'a Route, Request<Arriving>) -> BoxFuture<'a, Response>;
pub type StreamingHandler = for<'a> fn(&'a Arc<Plane>, &'a Route, Request<()>) -> BoxFuture<'a, RestResponse>;

impl Handler {
    pub fn streams(self) -> bool {
        matches!(self, Handler::Streaming(_))
    }

    pub async fn answer(self, plane: &Arc<Plane>, route: &Route, request: Request<Arriving>) -> RestResponse {
        match self {
            Handler::Arriving(handle) => {
                let (head, body) = request.split();
                // Who waits for leave to send has sent nothing yet.
                let sends = !head.headers.contains_key(EXPECT);
                let (body, unread) = Unread::of(body);
                let response = handle(plane, route, head.with_body(body)).await;
                if response.status >= 400 && sends {
                    unread.drop_rest().await;
                }
                response.into()
            }
            Handler::Whole(handle) => match request.whole().await {
                Ok(request) => handle(plane, route, request).await.into(),
                Err(error) => refused::unreadable(route.path, error).into(),
            },
            Handler::Streaming(handle) => handle(plane, route, request.split().0).await,
        }
    }
}

//! Where a function is found over HTTP, and what answers there. The local front door and the Lambda events both come
//! through [`Handler::answer`].

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

impl Route {
    /// A route without a query and a body, whose success is 200.
    pub(crate) const fn new(method: Method, path: &'static str) -> Route {
        Route { method, path, query: &[], path_types: &[], body: Body::None, success: 200 }
    }

    pub(crate) const fn get(path: &'static str) -> Route {
        Route::new(Method::GET, path)
    }

    pub(crate) const fn delete(path: &'static str) -> Route {
        Route::new(Method::DELETE, path)
    }

    /// A `POST` of JSON.
    pub(crate) const fn post(path: &'static str) -> Route {
        Route::new(Method::POST, path).body(Body::Json)
    }

    /// A `PUT` of JSON.
    pub(crate) const fn put(path: &'static str) -> Route {
        Route::new(Method::PUT, path).body(Body::Json)
    }

    /// A `PATCH` of JSON.
    pub(crate) const fn patch(path: &'static str) -> Route {
        Route::new(Method::PATCH, path).body(Body::Json)
    }

    pub(crate) const fn query(mut self, query: &'static [Query]) -> Route {
        self.query = query;
        self
    }

    pub(crate) const fn path_types(mut self, types: &'static [Query]) -> Route {
        self.path_types = types;
        self
    }

    pub(crate) const fn body(mut self, body: Body) -> Route {
        self.body = body;
        self
    }

    pub(crate) const fn success(mut self, status: u16) -> Route {
        self.success = status;
        self
    }
}

/// A route and what answers there.
pub struct Endpoint {
    pub route: Route,
    pub handle: Handler,
}

/// Answers the requests of a route.
#[derive(Clone, Copy)]
pub enum Handler {
    /// Takes the body as it arrives.
    Arriving(ArrivingHandler),
    /// Takes no body, and may go on with its answer for long.
    Streaming(StreamingHandler),
}

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
                if sends {
                    unread.drop_rest().await;
                }
                response.into()
            }
            Handler::Streaming(handle) => handle(plane, route, request.split().0).await,
        }
    }
}

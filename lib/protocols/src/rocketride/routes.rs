//! Where RocketRide's server answers. These routes lead to functions that have one of their own.

use super::{catalogue, data, server, tasks};
use crate::rest::{Body, Query};
use crate::route::{ArrivingHandler, Endpoint, Handler, Route};
use http::Method;

/// Old clients put what newer ones post.
pub static OPEN: [Endpoint; 2] = [
    sends(Method::POST, "/task", &[TOKEN, Query::text("threads"), Query::text("trace")], tasks::open),
    sends(Method::PUT, "/task", &[TOKEN, Query::text("threads"), Query::text("trace")], tasks::open),
];
pub static GET: [Endpoint; 1] = [asks(Method::GET, "/task", &[TOKEN], tasks::get)];
pub static END: [Endpoint; 1] = [asks(Method::DELETE, "/task", &[TOKEN], tasks::end)];
pub static SEND: [Endpoint; 3] = [
    sends(Method::POST, "/task/data", &[TOKEN], data::send),
    sends(Method::POST, "/webhook", &[TOKEN], data::send),
    sends(Method::PUT, "/task/process", &[TOKEN], data::send),
];
pub static HEALTH: [Endpoint; 2] =
    [asks(Method::GET, "/ping", &[], server::ping), asks(Method::GET, "/version", &[], server::version)];
pub static STATUS: [Endpoint; 1] = [asks(Method::GET, "/status", &[], server::status)];
pub static SERVICES: [Endpoint; 1] = [asks(Method::GET, "/services", &[Query::text("service")], catalogue::services)];
pub static VALIDATE: [Endpoint; 1] =
    [sends(Method::POST, "/pipe/validate", &[Query::text("source")], catalogue::validate)];

/// A caller with a task's own credential may leave it out.
const TOKEN: Query = Query::text("token");

/// Queries are read by the handlers: what cannot be read is refused in their words.
const fn asks(method: Method, path: &'static str, query: &'static [Query], handle: ArrivingHandler) -> Endpoint {
    Endpoint { route: Route::new(method, path).query(query), handle: Handler::Arriving(handle) }
}

const fn sends(method: Method, path: &'static str, query: &'static [Query], handle: ArrivingHandler) -> Endpoint {
    let route = Route::new(method, path).query(query).body(Body::Any);
    Endpoint { route, handle: Handler::Arriving(handle) }
}

//! Where RocketRide's server answers. These routes lead to functions that have one of their own.

use super::{catalogue, data, server, tasks};
use crate::rest::{Body, Parameter, Query};
use crate::route::{ArrivingHandler, Endpoint, Handler, Route};
use http::Method;

/// Old clients put what newer ones post.
pub static OPEN: [Endpoint; 2] = [
    sends(Method::POST, "/task", &[TOKEN, text("threads"), text("trace")], tasks::open),
    sends(Method::PUT, "/task", &[TOKEN, text("threads"), text("trace")], tasks::open),
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
pub static SERVICES: [Endpoint; 1] = [asks(Method::GET, "/services", &[text("service")], catalogue::services)];
pub static VALIDATE: [Endpoint; 1] = [sends(Method::POST, "/pipe/validate", &[text("source")], catalogue::validate)];

/// A caller with a task's own credential may leave it out.
const TOKEN: Query = text("token");

/// Read by the handlers: what cannot be read is refused in their words.
const fn text(name: &'static str) -> Query {
    Query { name, is: Parameter::Text }
}

const fn asks(method: Method, path: &'static str, query: &'static [Query], handle: ArrivingHandler) -> Endpoint {
    endpoint(method, path, query, Body::None, handle)
}

const fn sends(method: Method, path: &'static str, query: &'static [Query], handle: ArrivingHandler) -> Endpoint {
    endpoint(method, path, query, Body::Any, handle)
}

const fn endpoint(
    method: Method,
    path: &'static str,
    query: &'static [Query],
    body: Body,
    handle: ArrivingHandler,
) -> Endpoint {
    let route = Route { method, path, query, path_types: &[], body, success: 200 };
    Endpoint { route, handle: Handler::Arriving(handle) }
}

//! Where Checkly's clients ask. These routes lead to functions that have one of their own.

use super::{deploy, deployments, projects};
use crate::rest::{Body, Parameter, Query};
use crate::route::{ArrivingHandler, Endpoint, Handler, Route};
use http::Method;

pub static DEPLOY: [Endpoint; 1] = [sends("/v1/projects/deploy", &[DRY_RUN, SCHEDULE, PRESERVE], 202, deploy::deploy)];
pub static DESTROY: [Endpoint; 1] =
    [endpoint(Method::DELETE, "/v1/projects/{project}", &[DRY_RUN, PRESERVE], Body::None, 202, deploy::destroy)];
pub static DEPLOYMENTS: [Endpoint; 1] = [asks(
    "/v1/projects/{project}/deployments",
    &[number("limit"), Query { name: "cursor", is: Parameter::Text }],
    deployments::list,
)];
pub static DEPLOYMENT: [Endpoint; 1] = [asks("/v1/projects/{project}/deployments/{deployment}", &[], deployments::get)];
pub static COMPLETION: [Endpoint; 1] = [asks(
    "/v1/projects/{project}/deployments/{deployment}/completion",
    &[number("maxWaitSeconds")],
    deployments::completion,
)];
pub static CANCEL: [Endpoint; 1] = [endpoint(
    Method::POST,
    "/v1/projects/{project}/deployments/{deployment}/cancel",
    &[],
    Body::None,
    200,
    deployments::cancel,
)];
pub static EVENTS: [Endpoint; 1] = [Endpoint {
    route: Route {
        method: Method::GET,
        path: "/v1/projects/{project}/deployments/{deployment}/events",
        query: &[],
        path_types: &[],
        body: Body::None,
        success: 200,
    },
    handle: Handler::Streaming(deployments::events),
}];
pub static PROJECTS: [Endpoint; 1] = [asks("/next/projects", &[], projects::list)];
pub static PROJECT: [Endpoint; 1] = [asks("/next/projects/{project}", &[], projects::get)];
pub static PROJECT_ADD: [Endpoint; 1] = [sends("/next/projects", &[], 201, projects::add)];
pub static ACCOUNT: [Endpoint; 1] = [asks("/next/accounts/{account}", &[], projects::account)];
pub static RUNTIMES: [Endpoint; 1] = [asks("/v1/runtimes", &[], projects::runtimes)];

const DRY_RUN: Query = flag("dryRun");
const SCHEDULE: Query = flag("scheduleOnDeploy");
const PRESERVE: Query = flag("preserveResources");

const fn flag(name: &'static str) -> Query {
    Query { name, is: Parameter::Flag }
}

const fn number(name: &'static str) -> Query {
    Query { name, is: Parameter::Number }
}

const fn asks(path: &'static str, query: &'static [Query], handle: ArrivingHandler) -> Endpoint {
    endpoint(Method::GET, path, query, Body::None, 200, handle)
}

const fn sends(path: &'static str, query: &'static [Query], success: u16, handle: ArrivingHandler) -> Endpoint {
    endpoint(Method::POST, path, query, Body::Any, success, handle)
}

const fn endpoint(
    method: Method,
    path: &'static str,
    query: &'static [Query],
    body: Body,
    success: u16,
    handle: ArrivingHandler,
) -> Endpoint {
    let route = Route { method, path, query, path_types: &[], body, success };
    Endpoint { route, handle: Handler::Arriving(handle) }
}

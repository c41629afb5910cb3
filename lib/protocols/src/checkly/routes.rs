//! Where Checkly's clients ask. These routes lead to functions that have one of their own.

use super::{deploy, deployments, projects};
use crate::rest::{Body, Query};
use crate::route::{ArrivingHandler, Endpoint, Handler, Route};

pub static DEPLOY: [Endpoint; 1] = [endpoint(
    sends("/v1/projects/deploy").query(&[DRY_RUN, Query::flag("scheduleOnDeploy"), PRESERVE]).success(202),
    deploy::deploy,
)];
pub static DESTROY: [Endpoint; 1] =
    [endpoint(Route::delete("/v1/projects/{project}").query(&[DRY_RUN, PRESERVE]).success(202), deploy::destroy)];
pub static DEPLOYMENTS: [Endpoint; 1] = [endpoint(
    Route::get("/v1/projects/{project}/deployments").query(&[Query::number("limit"), Query::text("cursor")]),
    deployments::list,
)];
pub static DEPLOYMENT: [Endpoint; 1] =
    [endpoint(Route::get("/v1/projects/{project}/deployments/{deployment}"), deployments::get)];
pub static COMPLETION: [Endpoint; 1] = [endpoint(
    Route::get("/v1/projects/{project}/deployments/{deployment}/completion").query(&[Query::number("maxWaitSeconds")]),
    deployments::completion,
)];
pub static CANCEL: [Endpoint; 1] = [endpoint(
    Route::post("/v1/projects/{project}/deployments/{deployment}/cancel").body(Body::None),
    deployments::cancel,
)];
pub static EVENTS: [Endpoint; 1] = [Endpoint {
    route: Route::get("/v1/projects/{project}/deployments/{deployment}/events"),
    handle: Handler::Streaming(deployments::events),
}];
pub static PROJECTS: [Endpoint; 1] = [endpoint(Route::get("/next/projects"), projects::list)];
pub static PROJECT: [Endpoint; 1] = [endpoint(Route::get("/next/projects/{project}"), projects::get)];
pub static PROJECT_ADD: [Endpoint; 1] = [endpoint(sends("/next/projects").success(201), projects::add)];
pub static ACCOUNT: [Endpoint; 1] = [endpoint(Route::get("/next/accounts/{account}"), projects::account)];
pub static RUNTIMES: [Endpoint; 1] = [endpoint(Route::get("/v1/runtimes"), projects::runtimes)];

const DRY_RUN: Query = Query::flag("dryRun");
const PRESERVE: Query = Query::flag("preserveResources");

const fn sends(path: &'static str) -> Route {
    Route::post(path).body(Body::Any)
}

const fn endpoint(route: Route, handle: ArrivingHandler) -> Endpoint {
    Endpoint { route, handle: Handler::Arriving(handle) }
}

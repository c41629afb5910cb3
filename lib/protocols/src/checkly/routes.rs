//! Where Checkly's clients ask. These routes lead to functions that have one of their own.

use super::{deploy, deployments, projects};
use crate::rest::{Body, Query};
use crate::route::{ArrivingHandler, Entrance, Handler, Route};

pub static DEPLOY: [Entrance; 1] = [entrance(
    sends("/v1/projects/deploy").query(&[DRY_RUN, Query::flag("scheduleOnDeploy"), PRESERVE]).success(202),
    deploy::deploy,
)];
pub static DESTROY: [Entrance; 1] =
    [entrance(Route::delete("/v1/projects/{project}").query(&[DRY_RUN, PRESERVE]).success(202), deploy::destroy)];
pub static DEPLOYMENTS: [Entrance; 1] = [entrance(
    Route::get("/v1/projects/{project}/deployments").query(&[Query::number("limit"), Query::text("cursor")]),
    deployments::list,
)];
pub static DEPLOYMENT: [Entrance; 1] =
    [entrance(Route::get("/v1/projects/{project}/deployments/{deployment}"), deployments::get)];
pub static COMPLETION: [Entrance; 1] = [entrance(
    Route::get("/v1/projects/{project}/deployments/{deployment}/completion").query(&[Query::number("maxWaitSeconds")]),
    deployments::completion,
)];
pub static CANCEL: [Entrance; 1] = [entrance(
    Route::post("/v1/projects/{project}/deployments/{deployment}/cancel").body(Body::None),
    deployments::cancel,
)];
pub static EVENTS: [Entrance; 1] = [Entrance {
    route: Route::get("/v1/projects/{project}/deployments/{deployment}/events"),
    handle: Handler::Streaming(deployments::events),
}];
pub static PROJECTS: [Entrance; 1] = [entrance(Route::get("/next/projects"), projects::list)];
pub static PROJECT: [Entrance; 1] = [entrance(Route::get("/next/projects/{project}"), projects::get)];
pub static PROJECT_ADD: [Entrance; 1] = [entrance(sends("/next/projects").success(201), projects::add)];
pub static ACCOUNT: [Entrance; 1] = [entrance(Route::get("/next/accounts/{account}"), projects::account)];
pub static RUNTIMES: [Entrance; 1] = [entrance(Route::get("/v1/runtimes"), projects::runtimes)];

const DRY_RUN: Query = Query::flag("dryRun");
const PRESERVE: Query = Query::flag("preserveResources");

const fn sends(path: &'static str) -> Route {
    Route::post(path).body(Body::Any)
}

const fn entrance(route: Route, handle: ArrivingHandler) -> Entrance {
    Entrance { route, handle: Handler::Arriving(handle) }
}

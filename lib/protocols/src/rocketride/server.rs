//! `GET /ping`, `GET /version` and `GET /status`: the plane itself.

use super::envelope::enveloped;
use super::parameters::caller;
use crate::rest::{Arriving, Request, Response};
use crate::route::Route;
use crate::task_status::unix;
use futures::future::BoxFuture;
use serde_json::json;
use std::sync::Arc;
use tidemill_model::key::Scope;
use tidemill_operations::plane::{self, status::Input};
use tidemill_operations::{Operation, Plane};

/// Whether the plane answers.
pub fn ping<'a>(_: &'a Arc<Plane>, _: &'a Route, request: Request<Arriving>) -> BoxFuture<'a, Response> {
    enveloped(request.headers, async { Ok(None) })
}

/// What the plane is, without its build.
pub fn version<'a>(_: &'a Arc<Plane>, _: &'a Route, request: Request<Arriving>) -> BoxFuture<'a, Response> {
    let version = json!({"version": env!("CARGO_PKG_VERSION"), "hash": "", "stamp": ""});
    enveloped(request.headers, async { Ok(Some(version)) })
}

/// Since when the plane answers.
pub fn status<'a>(plane: &'a Arc<Plane>, _: &'a Route, request: Request<Arriving>) -> BoxFuture<'a, Response> {
    let (request, _) = request.split();
    enveloped(request.headers.clone(), async move {
        let caller = caller(plane, &request).await?;
        let status = plane::Status::run(plane, caller.call(Scope::Monitor, None)?, Input {}).await?;
        let server = json!({
            "version": status.version,
            "startTime": unix(status.started_at),
            "uptime": status.uptime_seconds,
        });
        Ok(Some(json!({"server": server})))
    })
}

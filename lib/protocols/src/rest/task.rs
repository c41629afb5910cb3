//! An object for a task: the body, taken as it arrives.

use super::input::input;
use super::{Arriving, Request, Response};
use crate::objects;
use crate::route::Route;
use bytes::Bytes;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;
use tidemill_model::key::Scope;
use tidemill_operations::task::pipe::Sent;
use tidemill_operations::{Error, Plane, access};

#[derive(Deserialize)]
struct SendInput {
    token: String,
}

/// What became of an object.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ObjectAnswer {
    name: String,
    object_id: String,
    result: Map<String, Value>,
    error: Option<String>,
}

/// Sends a body to a task. The request is a success also if the object is not.
pub fn task_send<'a>(plane: &'a Arc<Plane>, route: &'a Route, request: Request<Arriving>) -> BoxFuture<'a, Response> {
    let (request, body) = request.split();
    Box::pin(async move {
        match send(plane, route, request, body).await {
            Ok(Sent { name, object_id, result, error }) => {
                Response::json(route.success, &ObjectAnswer { name, object_id, result, error })
            }
            Err(error) => Response::error(&error),
        }
    })
}

async fn send(plane: &Arc<Plane>, route: &Route, mut request: Request<()>, body: Arriving) -> Result<Sent, Error> {
    let call = access::authenticate::run(plane, request.header("authorization"), None).await?;
    access::authenticate::check(&call, Scope::Data)?;
    let body = objects::decoded(&mut request.headers, body)?;
    let request = request.with_body(Bytes::new());
    let given: SendInput = input(&request, route.query, route.path_types, route.body)?;
    objects::raw(plane, &call, &given.token, &request.headers, body).await
}

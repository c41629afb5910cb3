//! Waiting for a rollout.

use super::input::input;
use super::{Arriving, Request, Response};
use crate::route::Route;
use bytes::Bytes;
use futures::future::BoxFuture;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tidemill_model::ids::RolloutId;
use tidemill_operations::rollout::{self, answer::RolloutAnswer, wait::LONGEST};
use tidemill_operations::{Error, Plane, access};

#[derive(Deserialize)]
struct WaitInput {
    rollout: RolloutId,
    /// Seconds; as long as it may be, if absent.
    wait: Option<u32>,
}

/// Answers once the rollout has ended, or as it is when the wait is over.
pub fn rollout_wait<'a>(
    plane: &'a Arc<Plane>,
    route: &'a Route,
    request: Request<Arriving>,
) -> BoxFuture<'a, Response> {
    let (request, _) = request.split();
    Box::pin(async move {
        match waited(plane, route, request).await {
            Ok(answer) => Response::json(route.success, &answer),
            Err(error) => Response::error(&error),
        }
    })
}

async fn waited(plane: &Arc<Plane>, route: &Route, request: Request<()>) -> Result<RolloutAnswer, Error> {
    let call = access::authenticate::run(plane, request.header("authorization"), None).await?;
    access::authenticate::check(&call, rollout::wait::SCOPE)?;
    let given: WaitInput = input(&request.with_body(Bytes::new()), route.query, route.path_types, route.body)?;
    let longest = given.wait.map_or(LONGEST, |seconds| Duration::from_secs(seconds.into()));
    let snapshot = rollout::wait::wait(plane, &call, &given.rollout, longest).await?;
    let items = snapshot.resources.as_ref().clone();
    Ok(RolloutAnswer { items: Some(items), ..RolloutAnswer::of(snapshot.rollout) })
}

//! A rollout while it goes on: how far it is, what became of each resource, and at last the rollout as it has ended. The id
//! of an event is how many resources are settled, so a client that comes again with the last one gets the rest.

use super::input::input;
use super::{Request, Response, RestResponse};
use crate::route::Route;
use crate::sse::{self, Frame, followed, last_event_id};
use bytes::Bytes;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tidemill_model::ids::RolloutId;
use tidemill_model::rollout::Rollout;
use tidemill_operations::rollout::{self, answer::RolloutAnswer, follow::follow, watches::Snapshot};
use tidemill_operations::{Error, Plane, access};

#[derive(Deserialize)]
struct FollowInput {
    rollout: RolloutId,
}

/// How far a rollout is.
#[derive(PartialEq, Serialize)]
struct Progress {
    state: &'static str,
    step: &'static str,
    /// Percent.
    progress: u8,
    settled: u32,
    resources: u32,
}

/// Streams a rollout until it has ended.
pub fn rollout_follow<'a>(
    plane: &'a Arc<Plane>,
    route: &'a Route,
    request: Request<()>,
) -> BoxFuture<'a, RestResponse> {
    Box::pin(async move {
        match followed_from(plane, route, request).await {
            Ok(answered) => answered,
            Err(error) => Response::error(&error).into(),
        }
    })
}

async fn followed_from(plane: &Arc<Plane>, route: &Route, request: Request<()>) -> Result<RestResponse, Error> {
    let call = access::authenticate::run(plane, request.header("authorization"), None).await?;
    access::authenticate::check(&call, rollout::wait::SCOPE)?;
    let seen = last_event_id(&request).unwrap_or(0);
    let given: FollowInput = input(&request.with_body(Bytes::new()), route.query, route.path_types, route.body)?;
    let following = follow(plane, &call, &given.rollout).await?;
    Ok(RestResponse::Stream(sse::streamed(followed(following, frames(seen)))))
}

/// Makes the events of each snapshot that are new.
fn frames(seen: u64) -> impl FnMut(&Snapshot) -> Vec<Frame> + Send + 'static {
    let mut settled = usize::try_from(seen).unwrap_or(usize::MAX);
    let mut before = None;
    move |Snapshot { rollout, resources }| {
        let mut frames = Vec::new();
        let now = progress(rollout);
        if before.as_ref() != Some(&now) {
            frames.push(Frame::new("progress", &now));
            before = Some(now);
        }
        for (index, resource) in resources.iter().enumerate().skip(settled) {
            frames.push(Frame::new("resource", resource).with_id(index as u64 + 1));
        }
        settled = settled.max(resources.len());
        if rollout.state.is_final() {
            frames.push(Frame::new("complete", &RolloutAnswer::of(rollout.clone())));
        }
        frames
    }
}

fn progress(rollout: &Rollout) -> Progress {
    let Rollout { state, step, progress, settled, resources, .. } = rollout;
    Progress {
        state: state.as_str(),
        step: step.as_str(),
        progress: *progress,
        settled: *settled,
        resources: *resources,
    }
}

//! `GET /services` and `POST /pipe/validate`, which are for everybody.

use super::envelope::{Refusal, enveloped};
use super::parameters::parameter;
use super::tasks::pipeline;
use crate::dap::Failure;
use crate::dap::commands::{pipeline::validated, provider::catalogue};
use crate::rest::{Arriving, Request, Response};
use crate::route::Route;
use futures::future::BoxFuture;
use std::sync::Arc;
use tidemill_operations::socket::household;
use tidemill_operations::{Error, Plane};

/// The providers, or one of them.
pub fn services<'a>(plane: &'a Arc<Plane>, _: &'a Route, request: Request<Arriving>) -> BoxFuture<'a, Response> {
    let (request, _) = request.split();
    enveloped(request.headers.clone(), async move { Ok(Some(catalogue(plane, parameter(&request, "service"))?)) })
}

/// What is wrong with the pipeline in the body.
pub fn validate<'a>(plane: &'a Arc<Plane>, _: &'a Route, request: Request<Arriving>) -> BoxFuture<'a, Response> {
    let (request, body) = request.split();
    enveloped(request.headers.clone(), async move {
        if let Some(peer) = request.peer {
            plane.memory.validations.count(household(peer), plane.now())?;
        }
        let source = parameter(&request, "source").map(serde_json::to_string).transpose().map_err(Error::internal)?;
        let validated = validated(plane, None, &pipeline(body).await.map_err(odd)?, source.as_deref()).await?;
        Ok(Some(serde_json::to_value(&validated).map_err(Error::internal)?))
    })
}

/// A body that is there and is no pipeline: for a validator that is an odd one, where the routes of tasks lack what they need.
fn odd(refusal: Refusal) -> Refusal {
    match refusal {
        Refusal::Unreadable(message) => Failure::new(message).into(),
        other => other,
    }
}

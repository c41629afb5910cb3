//! Calls an operation for a request: authenticate, check the scope, read the input, do it, answer. A body is read only for
//! a caller who may call the operation.

use super::input::{Body, input};
use super::{Arriving, Request, Response, whole};
use crate::route::Route;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::HeaderName;
use serde::Serialize;
use std::sync::Arc;
use tidemill_model::pipeline::formats::Format;
use tidemill_operations::{Answer, Call, Error, Operation, Plane, access, schema_get};

/// The handler of an operation.
pub fn operation<'a, O: Operation>(
    plane: &'a Arc<Plane>,
    route: &'a Route,
    request: Request<Arriving>,
) -> BoxFuture<'a, Response> {
    let (head, body) = request.split();
    Box::pin(async move {
        match call::<O>(plane, route, head, body).await {
            Ok(output) => Response::json(route.success, &output),
            Err(refused) => refused.response(),
        }
    })
}

/// The header of an answer that was made before.
pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The handler of an operation that takes an idempotency key: an answer that was made before says so.
pub fn once<'a, O, T>(plane: &'a Arc<Plane>, route: &'a Route, request: Request<Arriving>) -> BoxFuture<'a, Response>
where
    O: Operation<Output = Answer<T>>,
    T: Serialize + Send,
{
    let (head, body) = request.split();
    Box::pin(async move {
        match call::<O>(plane, route, head, body).await {
            Ok(output @ Answer::Now(_)) => Response::json(route.success, &output),
            Ok(output @ Answer::Before(_)) => Response::json(route.success, &output).header(REPLAYED, "true"),
            Err(refused) => refused.response(),
        }
    })
}

/// Why an operation was not called, or did not do what it was asked.
enum Refused {
    MediaType(String),
    With(Error),
}

impl Refused {
    fn response(&self) -> Response {
        match self {
            Refused::MediaType(given) => Response::unsupported_media_type(given),
            Refused::With(error) => Response::error(error),
        }
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Refused {
        Refused::With(error)
    }
}

async fn call<O: Operation>(
    plane: &Plane,
    route: &Route,
    head: Request<()>,
    body: Arriving,
) -> Result<O::Output, Refused> {
    let call = caller::<O>(plane, &head).await?;
    let body = match route.body {
        Body::None => Bytes::new(),
        Body::Json | Body::Any => whole(body).await?,
    };
    let request = head.with_body(body);
    if let Some(given) = wrong_media_type(route, &request) {
        return Err(Refused::MediaType(given));
    }
    let input = input(&request, route.query, route.path_types, route.body)?;
    // Of its own on the heap: what reads the body is not kept beside what is done with it.
    Ok(Box::pin(O::run(plane, &call, input)).await?)
}

/// The caller of an operation, who may call it.
async fn caller<O: Operation>(plane: &Plane, head: &Request<()>) -> Result<Call, Error> {
    let call = access::authenticate::run(plane, head.header("authorization"), head.idempotency_key()).await?;
    access::authenticate::check(&call, O::SCOPE)?;
    Ok(call)
}

fn wrong_media_type(route: &Route, request: &Request) -> Option<String> {
    if route.body != Body::Json || request.body.is_empty() {
        return None;
    }
    let given = request.header("content-type")?;
    let essence = given.split(';').next().unwrap_or_default().trim();
    Format::of_media_type(essence).is_none().then(|| given.to_owned())
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
    version: &'static str,
}

/// Whether the plane answers; needs no key.
pub fn plane_health<'a>(_: &'a Arc<Plane>, route: &'a Route, _: Request<Arriving>) -> BoxFuture<'a, Response> {
    let health = Health { status: "ok", version: env!("CARGO_PKG_VERSION") };
    Box::pin(async move { Response::json(route.success, &health) })
}

/// The schemas for editors, which send no key.
pub fn schema_get<'a>(plane: &'a Arc<Plane>, route: &'a Route, request: Request<Arriving>) -> BoxFuture<'a, Response> {
    let request = request.split().0.with_body(Bytes::new());
    let read = input(&request, route.query, route.path_types, Body::None);
    let read = read.and_then(|input: schema_get::Input| schema_get::read(plane, &input));
    Box::pin(async move {
        match read {
            Ok(schema) => Response::json(route.success, &schema),
            Err(error) => Response::error(&error),
        }
    })
}

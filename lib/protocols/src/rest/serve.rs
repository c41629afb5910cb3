//! Calls an operation for a request: authenticate, check the scope, read the input, do it, answer.

use super::input::{Body, input};
use super::{Request, Response};
use crate::route::Route;
use futures::future::BoxFuture;
use http::HeaderName;
use serde::Serialize;
use tidemill_model::pipeline::formats::Format;
use tidemill_operations::{Answer, Error, Operation, Plane, access, schema_get};

/// The handler of an operation.
pub fn operation<'a, O: Operation>(plane: &'a Plane, route: &'a Route, request: Request) -> BoxFuture<'a, Response> {
    Box::pin(async move {
        if let Some(refused) = wrong_media_type(route, &request) {
            return refused;
        }
        match call::<O>(plane, route, &request).await {
            Ok(output) => Response::json(route.success, &output),
            Err(error) => Response::error(&error),
        }
    })
}

/// The header of an answer that was made before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The handler of an operation that takes an idempotency key: an answer that was made before says so.
pub fn once<'a, O, T>(plane: &'a Plane, route: &'a Route, request: Request) -> BoxFuture<'a, Response>
where
    O: Operation<Output = Answer<T>>,
    T: Serialize + Send,
{
    Box::pin(async move {
        if let Some(refused) = wrong_media_type(route, &request) {
            return refused;
        }
        match call::<O>(plane, route, &request).await {
            Ok(output @ Answer::Now(_)) => Response::json(route.success, &output),
            Ok(output @ Answer::Before(_)) => Response::json(route.success, &output).header(REPLAYED, "true"),
            Err(error) => Response::error(&error),
        }
    })
}

async fn call<O: Operation>(plane: &Plane, route: &Route, request: &Request) -> Result<O::Output, Error> {
    // A key that is not text is still a key: it must be refused, not passed over.
    let idempotency = request.headers.get("idempotency-key").map(|key| String::from_utf8_lossy(key.as_bytes()).into());
    let call = access::authenticate::run(plane, request.header("authorization"), idempotency).await?;
    access::authenticate::check(&call, O::SCOPE)?;
    let input = input(request, route.query, route.path_types, route.body)?;
    O::run(plane, &call, input).await
}

fn wrong_media_type(route: &Route, request: &Request) -> Option<Response> {
    if route.body != Body::Json || request.body.is_empty() {
        return None;
    }
    let given = request.header("content-type")?;
    let essence = given.split(';').next().unwrap_or_default().trim();
    Format::of_media_type(essence).is_none().then(|| Response::unsupported_media_type(given))
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
    version: &'static str,
}

/// Whether the plane answers; needs no key.
pub fn plane_health<'a>(_: &'a Plane, route: &'a Route, _: Request) -> BoxFuture<'a, Response> {
    let health = Health { status: "ok", version: env!("CARGO_PKG_VERSION") };
    Box::pin(async move { Response::json(route.success, &health) })
}

/// The schemas for editors, which send no key.
pub fn schema_get<'a>(plane: &'a Plane, route: &'a Route, request: Request) -> BoxFuture<'a, Response> {
    let read = input(&request, route.query, route.path_types, Body::None);
    let read = read.and_then(|input: schema_get::Input| schema_get::read(plane, &input));
    Box::pin(async move {
        match read {
            Ok(schema) => Response::json(route.success, &schema),
            Err(error) => Response::error(&error),
        }
    })
}

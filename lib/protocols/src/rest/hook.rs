//! Webhooks: any body, no key; the unguessable URL is the right to send.

use super::input::{Query, input};
use super::{Request, Response};
use crate::route::Route;
use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tidemill_operations::hook_receive::Received;
use tidemill_operations::{EngineInput, Error, Plane, hook_receive};

/// Headers that may hold a credential: they do not reach the pipeline.
const HIDDEN: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

#[derive(Deserialize)]
struct HookInput {
    hook: String,
    wait: Option<u32>,
}

/// The handler of webhooks: 202 with the run that has the body, or with `wait` 200 when it has ended in time.
pub fn hook_receive<'a>(plane: &'a Plane, route: &'a Route, request: Request) -> BoxFuture<'a, Response> {
    Box::pin(async move {
        match receive(plane, route.query, route, request).await {
            Ok(response) => response,
            Err(error) => Response::error(&error),
        }
    })
}

async fn receive(plane: &Plane, query: &[Query], route: &Route, mut request: Request) -> Result<Response, Error> {
    // The query of a webhook is its sender's; only `wait` is ours.
    let sent = request.query.clone();
    request.query.retain(|(name, _)| query.iter().any(|parameter| parameter.name == name));
    let given: HookInput = input(&request, query, route.path_types, route.body)?;
    let mime = request.header("content-type").unwrap_or("application/octet-stream").to_owned();
    let mut body = EngineInput::new(mime, request.body.to_vec());
    body.meta = json!({
        "method": request.method.as_str(),
        "headers": headers(&request),
        "query": sent.into_iter().map(|(name, value)| (name, Value::String(value))).collect::<Map<_, _>>(),
    });
    let received = Received { hook: given.hook, input: body, wait: given.wait.unwrap_or(0) };
    let run = hook_receive::run(plane, received).await?;
    let status = if run.ended_at.is_some() { 200 } else { route.success };
    Ok(Response::json(status, &run))
}

fn headers(request: &Request) -> Map<String, Value> {
    let shown = request.headers.iter().filter(|(name, _)| !HIDDEN.contains(&name.as_str()));
    shown.filter_map(|(name, value)| Some((name.to_string(), Value::String(value.to_str().ok()?.to_owned())))).collect()
}

//! Webhooks: what their senders send, without a key; the unguessable URL is the right to send. A sender sees the result
//! of a run, and of its failure only that it failed.

use super::input::{Query, input};
use super::serve::REPLAYED;
use super::{Arriving, Request, Response, whole};
use crate::objects::{decoded, hooked};
use crate::route::Route;
use bytes::Bytes;
use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::sync::Arc;
use tidemill_model::run::State;
use tidemill_operations::answer::RunAnswer;
use tidemill_operations::hook_receive::{Accepted, Received};
use tidemill_operations::{Code, Error, Plane, hook_receive};

/// Headers that may hold a credential: they do not reach the pipeline.
const HIDDEN: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// With the value `200` a run that did not succeed is answered as others are. Any other value is the sender's own.
const STATUS: &str = "status";

#[derive(Deserialize)]
struct HookInput {
    hook: String,
    wait: Option<u32>,
}

/// The handler of webhooks: 202 with the run that has the body, or with `wait` when it has ended in time 200, and
/// 502 if it did not succeed.
pub fn hook_receive<'a>(
    plane: &'a Arc<Plane>,
    route: &'a Route,
    request: Request<Arriving>,
) -> BoxFuture<'a, Response> {
    let (head, body) = request.split();
    Box::pin(async move {
        match receive(plane, route, head.with_body(Bytes::new()), body).await {
            Ok(response) => response,
            Err(error) => Response::error(&error),
        }
    })
}

async fn receive(plane: &Plane, route: &Route, mut request: Request, body: Arriving) -> Result<Response, Error> {
    let query: &[Query] = route.query;
    // The query of a webhook is its sender's; only `wait` and `status=200` are ours.
    let sent = request.query.clone();
    request.query.retain(|(name, _)| name != STATUS && query.iter().any(|parameter| parameter.name == name));
    let given: HookInput = input(&request, query, route.path_types, route.body)?;
    let hook = hook_receive::admit(plane, &given.hook).await?;
    let always_200 = sent.iter().any(|(name, value)| name == STATUS && value == "200");
    let facts = Map::from_iter([
        ("method".to_owned(), request.method.as_str().into()),
        ("headers".to_owned(), headers(&request).into()),
        ("query".to_owned(), Value::Object(sent.into_iter().map(|(name, value)| (name, value.into())).collect())),
    ]);
    let idempotency = request.idempotency_key();
    let body = whole(decoded(&mut request.headers, body)?).await?;
    let input = hooked(request.header("content-type"), body, facts).await?;
    let received = Received { input, wait: given.wait.unwrap_or(0), idempotency };
    let Accepted { run, is_replayed } = hook_receive::run(plane, hook, received).await?;
    let run = for_a_sender(run);
    let response = match run.ended_at {
        None => Response::json(route.success, &run),
        Some(_) if run.state == State::Succeeded || always_200 => Response::json(200, &run),
        Some(_) => return Err(failure(&run)),
    };
    Ok(if is_replayed { response.header(REPLAYED, "true") } else { response })
}

/// A run without what only its owner may know: the components, and what went wrong in which.
fn for_a_sender(run: RunAnswer) -> RunAnswer {
    let result = run.result.flatten().filter(|_| run.state == State::Succeeded);
    RunAnswer { error: None, components: None, result: Some(result), ..run }
}

fn failure(run: &RunAnswer) -> Error {
    let message = format!("run `{}` did not succeed: it is {}", run.id, run.state);
    Error::new(Code::RunFailed, message)
        .hint("the project's owner sees why; `status=200` beside `wait` answers 200 with the run")
}

fn headers(request: &Request) -> Map<String, Value> {
    let shown = request.headers.iter().filter(|(name, _)| !HIDDEN.contains(&name.as_str()));
    shown.filter_map(|(name, value)| Some((name.to_string(), Value::String(value.to_str().ok()?.to_owned())))).collect()
}

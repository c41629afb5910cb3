//! `rrext_process`: objects in, part by part, and their results out.

use super::arguments::text;
use super::task::{ended, failed, token};
use super::{CommandRequest, body};
use crate::dap::events::message as message_event;
use crate::dap::failure::Failure;
use crate::dap::frame::{Arguments, Body, shown};
use crate::dap::pipes::OpenPipe;
use crate::dap::session::Events;
use crate::objects;
use serde::Deserialize;
use serde_json::{Value, json};
use std::num::NonZeroU64;
use tidemill_model::task::SIZE_LIMIT;
use tidemill_operations::task::{
    self,
    send::{Object, SendError},
    trace::Event,
};
use tidemill_operations::{Code, Error, Operation};

pub async fn process(mut request: CommandRequest) -> Result<Body, Failure> {
    if let Some(turn) = &mut request.turn {
        turn.comes().await;
    }
    let subcommand = request.arguments.text("subcommand")?.unwrap_or_default();
    match subcommand.as_str() {
        "open" => open(request).await,
        "write" => write(request).await,
        "close" => close(request).await,
        "tool" => tool(request).await,
        other => Err(Failure::new(format!("Invalid subcommand {}", shown(other)))),
    }
}

/// The pipe that a request concerns: none for an `open`, which makes one.
pub fn pipe_id(arguments: &Arguments) -> Option<u64> {
    arguments.raw("pipe_id").and_then(|id| serde_json::from_str(id.get()).ok())
}

/// What a caller says of an object; other members are its own affair.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ObjectDescription {
    name: Option<Value>,
    size: Option<Value>,
}

async fn open(request: CommandRequest) -> Result<Body, Failure> {
    let CommandRequest { plane, call, arguments, pipes, .. } = &request;
    let described = arguments.raw("object").filter(|object| object.get() != "null");
    let described = described.ok_or_else(|| Failure::new("No object info specified"))?;
    let described = Some(described).filter(|object| object.get().starts_with('{'));
    let described: Option<ObjectDescription> = described.and_then(|object| serde_json::from_str(object.get()).ok());
    let described = described.ok_or_else(|| Failure::new("object must be an object"))?;
    let mime = arguments.text("mimeType")?.filter(|mime| !mime.is_empty());
    let provider = arguments.text("provider")?.filter(|provider| !provider.is_empty());
    let object = Object {
        name: described.name.and_then(|name| name.as_str().map(str::to_owned)),
        mime: mime.ok_or_else(|| Failure::new("No mimeType specified"))?,
        size: size(described.size)?,
        provider: provider.clone(),
    };
    let token = token(arguments)?;
    let opened = task::send::open(plane, call, &token, object).await;
    let pipe = opened.map_err(|refused| not_accepted(refused, provider))?;
    body(&json!({"pipe_id": pipes.add(pipe, token)}))
}

/// The bytes that are announced, if any are.
fn size(given: Option<Value>) -> Result<Option<NonZeroU64>, Failure> {
    let Some(given) = given.filter(|size| !size.is_null()) else { return Ok(None) };
    let refused = || {
        let message = format!("object.size must be a whole number of bytes, 0 to {SIZE_LIMIT}");
        Failure::new(message).code(Code::InvalidArgument)
    };
    given.as_u64().map(NonZeroU64::new).ok_or_else(refused)
}

const NO_DATA: &str = "No data specified; hint: send it in a binary frame, after the JSON and a line break";

async fn write(request: CommandRequest) -> Result<Body, Failure> {
    let CommandRequest { arguments, pipes, events, .. } = request;
    let id = pipe_id(&arguments).ok_or_else(|| Failure::new("pipe_id must be a number"))?;
    let token = text(&arguments, "token")?;
    let data = arguments.data.ok_or_else(|| Failure::new(NO_DATA))?;
    let open = pipes.take(id, token.as_deref());
    let mut open = open.ok_or_else(|| Failure::new(format!("Write pipe with id {id} not found")))?;
    open.pipe.write(data).await;
    let messages = open.pipe.messages();
    if events.monitors.hears(id) {
        messages.iter().for_each(|message| notify(&events, &open.pipe.task_id, id, message));
    }
    pipes.put_back(id, open);
    Ok(None)
}

async fn close(request: CommandRequest) -> Result<Body, Failure> {
    let CommandRequest { arguments, pipes, events, .. } = request;
    let id = pipe_id(&arguments).ok_or_else(|| Failure::new("pipe_id must be a number"))?;
    let token = text(&arguments, "token")?;
    let open = pipes.take(id, token.as_deref());
    let OpenPipe { pipe, .. } = open.ok_or_else(|| Failure::new(format!("Close pipe with id {id} not found")))?;
    let task_id = pipe.task_id.clone();
    let hears = events.monitors.hears(id);
    if hears {
        // Before its record can be read.
        events.monitors.heard(id);
    }
    // A client that listens to a pipe does so until this is answered.
    let sent = pipe
        .close_hearing(|message| {
            if hears {
                notify(&events, &task_id, id, &message)
            }
        })
        .await;
    // A failed object is a success of the request, with its `error`.
    body(&objects::result(sent?))
}

/// A function of a component that is called beside the data, as RocketRide's database and agent nodes have. No provider
/// here has any: components take values on lanes and give values, and all else stands in their config.
async fn tool(request: CommandRequest) -> Result<Body, Failure> {
    let CommandRequest { plane, call, arguments, pipes, .. } = &request;
    let tool = text(arguments, "tool")?.ok_or_else(|| Failure::new("tool is required"))?;
    let tool = shown(&tool);
    let token = token(arguments)?;
    if let Some(id) = pipe_id(arguments).filter(|id| !pipes.has(*id, Some(&token))) {
        return Err(Failure::new(format!("Tool pipe with id {id} not found")));
    }
    let input = task::pipeline::Input { token };
    let found = task::Pipeline::run(plane, call, input).await.map_err(failed)?;
    let pipeline: Value = serde_json::from_str(found.pipeline.get()).map_err(Error::internal)?;
    let node = text(arguments, "nodeId")?;
    let is_there = |id: &str| pipeline["components"].as_array().into_iter().flatten().any(|one| one["id"] == id);
    let reason = "the providers of this plane take values on lanes and have no functions to call; send an object to the \
                  pipeline instead";
    let message = match node {
        Some(node) if !is_there(&node) => format!("component `{}` is not in the pipeline", shown(&node)),
        Some(node) => format!("tool `{tool}` is not offered by component `{}`: {reason}", shown(&node)),
        None => format!("tool `{tool}` is offered by no component: {reason}"),
    };
    Err(Failure::new(message).code(Code::FailedPrecondition))
}

fn notify(events: &Events, task_id: &str, pipe: u64, message: &Event) {
    if let Some((name, body)) = message_event(task_id, pipe, message) {
        events.send(name, &body);
    }
}

fn not_accepted(refused: SendError, provider: Option<String>) -> Failure {
    match (refused, provider) {
        (SendError::Ended, _) => ended(),
        (SendError::Ending, _) => {
            Failure { code: Some("TASK_STOPPED"), ..Failure::new("Task is terminating, cannot process data requests") }
        }
        (SendError::Other(error), Some(provider)) if error.code == Code::InvalidArgument => {
            Failure::new(format!("You are looking for a \"{provider}\", but this pipeline isn't it: {}", error.message))
        }
        (SendError::Other(error), _) => failed(error),
    }
}

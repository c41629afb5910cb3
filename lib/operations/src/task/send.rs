//! Sends an object through a task: one conditional write accepts it, and a worker in this process takes it from there
//! while it arrives.

use crate::EngineInput;
use crate::error::{Code, Error};
use crate::lease::claim_object;
use crate::plane::{Call, Plane};
use crate::task::life::unknown;
use crate::task::pipe::{Arrival, Ending, Pipe};
use crate::task::worker::{NAME_SHOWN, ObjectWorker};
use bytes::Bytes;
use futures::channel::mpsc::unbounded;
use std::num::NonZeroU64;
use std::sync::Arc;
use tidemill_engine::Live;
use tidemill_model::task::{SIZE_LIMIT, State, Task};
use tidemill_plan::Class;
use tidemill_store::{Arriving, Part};

/// What a caller says of an object before it sends it.
#[derive(Clone, Debug, Default)]
pub struct Object {
    pub name: Option<String>,
    pub mime: String,
    /// Bytes, at least 1; `None` if the caller does not know: then those that arrive are counted.
    pub size: Option<NonZeroU64>,
    /// What the caller takes the source's provider to be.
    pub provider: Option<String>,
}

/// Accepts an object, as soon as fewer than the task's `threads` are being worked on here.
///
/// # Errors
/// [`Code::NotFound`] if there is no such task, [`Code::FailedPrecondition`] if it takes no more objects.
pub async fn open(plane: &Arc<Plane>, call: &Call, token: &str, object: Object) -> Result<Pipe, SendError> {
    let task = plane.store.task(&call.owner, token).await?;
    let task = task.filter(|task| task.is_readable(plane.now())).ok_or_else(unknown)?;
    check(&task, &object)?;
    if task.state != State::Open {
        return Err(closed(task.state));
    }
    let permit = plane.memory.threads.of(&task).await;
    let now = plane.now();
    let random = plane.ambient.random_u128();
    let (id, number) = (uuid(random), (random >> 80) as u64);
    let name = object.name.clone().unwrap_or_else(|| id.clone());
    let shown: String = name.chars().take(NAME_SHOWN).collect();
    let arriving = Arriving { id: &id, name: &shown, bytes: object.size.map_or(0, NonZeroU64::get) };
    let task = match claim_object(plane, &call.owner, token, &arriving).await {
        Ok(task) => task,
        Err(error) if error.rejects(Part::Task) => return Err(refusal(plane, call, token).await?),
        Err(error) => return Err(error.into()),
    };
    plane.notify_watchers(&task.owner).await;
    let head = EngineInput { name: object.name, ..EngineInput::new(object.mime, Bytes::new()) };
    let (sender, live) = Live::new(head, id.clone());
    let arrival = Arc::<Arrival>::default();
    let (listener, messages) = unbounded();
    let task_id = task.display_id();
    let worker = ObjectWorker {
        plane: plane.clone(),
        task,
        id,
        name,
        number,
        began_at: now,
        listener,
        announced: object.size.map(NonZeroU64::get),
        arrival: arrival.clone(),
        _permit: permit,
    };
    Ok(Pipe { number, task_id, messages, sender, arrival, ending: Ending(tokio::spawn(worker.work(live))) })
}

fn check(task: &Task, object: &Object) -> Result<(), Error> {
    if let Some(size) = object.size.map(NonZeroU64::get).filter(|size| *size > SIZE_LIMIT) {
        return Err(too_large(size));
    }
    match &object.provider {
        Some(provider) if *provider != task.provider => Err(Error::new(
            Code::InvalidArgument,
            format!("the task's source is a `{}`, not a `{provider}`", task.provider),
        )
        .hint("send to a task whose source takes this")),
        _ if !task.waits => Err(Error::new(
            Code::FailedPrecondition,
            format!("the task's source `{}` makes its own objects", task.source),
        )
        .hint(format!("send to a task whose source is {}", waiting_sources()))),
        _ => Ok(()),
    }
}

/// The providers that an object can be sent to.
fn waiting_sources() -> String {
    let waiting = tidemill_engine::catalogue().iter().filter(|provider| provider.class == Class::WaitingSource);
    let names: Vec<_> = waiting.map(|provider| format!("`{}`", provider.name)).collect();
    names.join(" or ")
}

fn too_large(size: u64) -> Error {
    Error::new(Code::TooLarge, format!("the object's size is {size} bytes, over {SIZE_LIMIT} (1 TiB), the limit"))
        .hint("announce as many bytes as you send, or none")
}

async fn refusal(plane: &Plane, call: &Call, token: &str) -> Result<SendError, Error> {
    let found = plane.store.task(&call.owner, token).await?;
    Ok(found.map_or_else(|| unknown().into(), |task| closed(task.state)))
}

fn closed(state: State) -> SendError {
    match state {
        State::Ended => SendError::Ended,
        State::Open | State::Ending => SendError::Ending,
    }
}

/// Why an object was not accepted.
#[derive(Debug)]
pub enum SendError {
    /// The task takes no more objects, and finishes those that it took.
    Ending,
    /// The task has ended.
    Ended,
    Other(Error),
}

impl From<Error> for SendError {
    fn from(error: Error) -> SendError {
        SendError::Other(error)
    }
}

impl From<tidemill_store::Error> for SendError {
    fn from(error: tidemill_store::Error) -> SendError {
        SendError::Other(error.into())
    }
}

impl From<SendError> for Error {
    fn from(refused: SendError) -> Error {
        let message = match refused {
            SendError::Ending => "the task is ending and takes no more objects",
            SendError::Ended => "the task has ended",
            SendError::Other(error) => return error,
        };
        Error::new(Code::FailedPrecondition, message).hint("open a new one")
    }
}

/// A random UUID's text. <https://www.rfc-editor.org/rfc/rfc9562#section-5.4>
fn uuid(random: u128) -> String {
    let value = random & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let hex = format!("{value:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

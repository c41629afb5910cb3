//! Sends an object through a task.
//!
//! It is accepted by one conditional write, worked on in this process while it arrives, and counted by another write
//! when it has ended. Whoever accepted it says every few seconds that it is still there; when that stops, the object is
//! given up.

use crate::EngineInput;
use crate::deployment::change::HISTORY;
use crate::error::{Code, Error};
use crate::plane::{Call, Plane};
use crate::run;
use crate::run::finish::with_keys;
use crate::task::life::{settle, unknown};
use crate::task::trace;
use crate::task::trace::Told;
use bytes::Bytes;
use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value as Tree};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tidemill_engine::{
    Budget, Event, Execution, Live, LogLine, NewKey, RunContext, RunFacts, RunInput, Sender, TraceEvents,
};
use tidemill_model::task::{ARRIVAL, SIZE_LIMIT, State, Task, Trace};
use tidemill_store::{Arriving, Ended, Part};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;

/// How long after its last sign a worker counts as gone, and how often it gives one.
const LEASE: SignedDuration = SignedDuration::from_secs(30);
const RENEWAL: Duration = Duration::from_secs(10);
/// Keys of one save: they share a transaction of 100 items with the rest.
const NEW_KEYS: usize = 50;
/// Characters of an object's name that the task remembers.
const NAME_SHOWN: usize = 256;
/// How long an object waits for a file that another object has open.
const START_PATIENCE: Duration = Duration::from_secs(30);
const START_PAUSE: Duration = Duration::from_millis(50);

/// What a caller says of an object before it sends it.
#[derive(Clone, Debug, Default)]
pub struct Object {
    pub name: Option<String>,
    pub mime: String,
    /// Bytes; 0 if the caller does not know: then those that arrive are counted.
    pub size: u64,
    /// What the caller takes the source's provider to be.
    pub provider: Option<String>,
}

/// An object that was accepted and is arriving.
#[derive(Debug)]
pub struct Pipe {
    /// Tells it apart from all other objects of all tasks: 48 random bits, which every client's numbers hold exactly.
    pub number: u64,
    /// What people tell its task apart by.
    pub task_id: String,
    messages: UnboundedReceiver<Event>,
    sender: Sender,
    arrival: Arc<Arrival>,
    ending: Ending,
}

/// What came of an object so far.
#[derive(Debug, Default)]
struct Arrival {
    bytes: AtomicU64,
    is_whole: AtomicBool,
}

/// An object that is whole and is still worked on.
#[derive(Debug)]
pub struct Ending(JoinHandle<Result<Sent, Error>>);

/// What became of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    pub name: String,
    pub object_id: String,
    /// Keys and `result_types`, as the response components made them.
    pub result: Map<String, Tree>,
    /// Why it did not go through.
    pub error: Option<String>,
}

/// Accepts an object, as soon as fewer than the task's `threads` are being worked on here.
///
/// # Errors
/// [`Code::NotFound`] if there is no such task, [`Code::FailedPrecondition`] if it takes no more objects.
pub async fn open(plane: &Arc<Plane>, call: &Call, token: &str, object: Object) -> Result<Pipe, Refused> {
    let task = plane.store.task(&call.owner, token).await?;
    let task = task.filter(|task| task.is_readable(plane.now())).ok_or_else(unknown)?;
    check(&task, &object)?;
    if task.state != State::Open {
        return Err(closed(task.state));
    }
    let permit = plane.threads.of(&task).await;
    let now = plane.now();
    let random = plane.ambient.random_u128();
    let (id, number) = (uuid(random), (random >> 80) as u64);
    let name = object.name.clone().unwrap_or_else(|| id.clone());
    let shown: String = name.chars().take(NAME_SHOWN).collect();
    let arriving = Arriving { name: &shown, bytes: object.size };
    let accepted = plane.store.accept(&call.owner, token, &arriving, now, now + LEASE).await;
    let task = match accepted {
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
    let worker = Worker {
        plane: plane.clone(),
        task,
        id,
        name,
        number,
        began_at: now,
        listener,
        announced: object.size,
        arrival: arrival.clone(),
        _permit: permit,
    };
    Ok(Pipe { number, task_id, messages, sender, arrival, ending: Ending(tokio::spawn(worker.work(live))) })
}

fn check(task: &Task, object: &Object) -> Result<(), Error> {
    if object.size > SIZE_LIMIT {
        return Err(too_large(object.size));
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
        .hint("send to a task whose source is a `webhook` or a `chat`")),
        _ => Ok(()),
    }
}

fn too_large(size: u64) -> Error {
    Error::new(Code::TooLarge, format!("the object's size is {size} bytes, over {SIZE_LIMIT} (1 TiB), the limit"))
        .hint("announce as many bytes as you send, or none")
}

async fn refusal(plane: &Plane, call: &Call, token: &str) -> Result<Refused, Error> {
    let found = plane.store.task(&call.owner, token).await?;
    Ok(found.map_or_else(|| unknown().into(), |task| closed(task.state)))
}

fn closed(state: State) -> Refused {
    match state {
        State::Ended => Refused::Ended,
        State::Open | State::Ending => Refused::Ending,
    }
}

/// Why an object was not accepted.
#[derive(Debug)]
pub enum Refused {
    /// The task takes no more objects, and finishes those that it took.
    Ending,
    /// The task has ended.
    Ended,
    With(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Refused {
        Refused::With(error)
    }
}

impl From<tidemill_store::Error> for Refused {
    fn from(error: tidemill_store::Error) -> Refused {
        Refused::With(error.into())
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Error {
        let message = match refused {
            Refused::Ending => "the task is ending and takes no more objects",
            Refused::Ended => "the task has ended",
            Refused::With(error) => return error,
        };
        Error::new(Code::FailedPrecondition, message).hint("open a new one")
    }
}

impl Pipe {
    /// Hands over a part, as soon as there is room for it. What is sent after the object failed is dropped: its end
    /// tells why.
    pub async fn write(&self, part: Bytes) {
        self.arrival.bytes.fetch_add(part.len() as u64, Ordering::Relaxed);
        // The run ended early; `close` has the reason.
        let _ = self.sender.send(part).await;
    }

    /// The messages that components had for whoever sends the object, since they were taken last.
    pub fn messages(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.messages.try_recv().ok()).collect()
    }

    /// Says that the object is whole, and hands each message on until it has ended.
    pub async fn close_hearing(mut self, mut hear: impl FnMut(Event)) -> Result<Sent, Error> {
        let mut messages = std::mem::replace(&mut self.messages, unbounded().1);
        let ending = self.end().await;
        // Its worker holds the other end until it is done.
        while let Some(message) = messages.next().await {
            hear(message);
        }
        ending.sent().await
    }

    /// Says that the object is whole.
    pub async fn end(self) -> Ending {
        self.arrival.is_whole.store(true, Ordering::Relaxed);
        // As in `write`.
        let _ = self.sender.end().await;
        self.ending
    }

    /// Says that the object is whole, and waits for what became of it.
    pub async fn close(self) -> Result<Sent, Error> {
        self.end().await.sent().await
    }
}

impl Ending {
    /// Waits for what became of the object.
    pub async fn sent(self) -> Result<Sent, Error> {
        self.0.await.map_err(Error::internal)?
    }
}

struct Worker {
    plane: Arc<Plane>,
    task: Task,
    id: String,
    name: String,
    number: u64,
    began_at: Timestamp,
    listener: UnboundedSender<Event>,
    /// Bytes that were counted when it was accepted.
    announced: u64,
    arrival: Arc<Arrival>,
    _permit: OwnedSemaphorePermit,
}

/// What the engine made of an object.
#[derive(Default)]
struct Made {
    result: Map<String, Tree>,
    error: Option<String>,
    log: Vec<LogLine>,
    traced: TraceEvents,
    /// Keys that are not saved yet.
    new_keys: Vec<NewKey>,
}

/// An object did not become whole in time.
struct TooLate;

fn too_late() -> Made {
    let seconds = ARRIVAL.as_secs();
    let error = format!("the task was ended {seconds} s ago, and the object was not whole yet");
    Made { error: Some(error), ..Made::default() }
}

impl Worker {
    async fn work(self, live: Live) -> Result<Sent, Error> {
        let made = {
            let beside = self.stay_busy();
            let execute = self.execute(live);
            tokio::pin!(beside, execute);
            tokio::select! {
                made = &mut execute => made,
                TooLate = &mut beside => Ok(too_late()),
            }
        };
        let made = match made {
            Ok(made) => made,
            // The object has ended for the task, whatever the plane's trouble was.
            Err(error) => Made { error: Some(error.message), ..Made::default() },
        };
        self.count(&made).await;
        Ok(Sent { name: self.name, object_id: self.id, result: made.result, error: made.error })
    }

    /// Gives a sign of life now and then, until it finds that the task was asked to end too long ago for what is still
    /// arriving. One that is not taken was given up already, and goes on for its caller.
    async fn stay_busy(&self) -> TooLate {
        let mut pause = RENEWAL;
        loop {
            tokio::time::sleep(pause).await;
            let now = self.plane.now();
            match self.plane.store.keep_busy(&self.task, now + LEASE).await {
                Ok(task) => match task.arrival(now).filter(|_| !self.arrival.is_whole.load(Ordering::Relaxed)) {
                    Some(SignedDuration::ZERO) => return TooLate,
                    Some(left) => pause = RENEWAL.min(left.unsigned_abs()),
                    None => pause = RENEWAL,
                },
                Err(error) => {
                    tracing::debug!(run.id = %self.task.run, %error, "a task's worker could not give a sign of life");
                }
            }
        }
    }

    async fn execute(&self, live: Live) -> Result<Made, Error> {
        let Worker { plane, task, .. } = self;
        let plan =
            run::preparation::stored_plan(plane, &task.owner, task.deployment.project(), &task.plan_sha256).await?;
        let mut secrets = run::preparation::secrets(plane, &task.owner, &plan).await?;
        secrets.extend(run::preparation::variables(plane, task).await?);
        let ambient = plane.ambient.clone();
        let context = RunContext {
            run: facts(task),
            input: RunInput::Live(live),
            secrets,
            seen: run::preparation::seen(plane, &task.owner, &task.deployment),
            now: Arc::new(move || ambient.now()),
            host: plane.host.clone(),
            trace: task.trace,
            listener: Some(self.listener.clone()),
        };
        let waited = tokio::time::Instant::now();
        let execution = loop {
            match Execution::start(&plan, context.clone(), None).await {
                Err(error) if error.retryable && waited.elapsed() < START_PATIENCE => {
                    tokio::time::sleep(START_PAUSE).await;
                }
                started => break started,
            }
        };
        match execution {
            Ok(execution) => self.steps(execution).await,
            Err(error) => Ok(failed(Made::default(), error)),
        }
    }

    /// Steps until the object is through. The keys of each step but the last are saved as they come.
    async fn steps(&self, mut execution: Execution) -> Result<Made, Error> {
        let budget = Budget { objects: usize::MAX, new_keys: NEW_KEYS, time: Duration::MAX };
        let mut made = Made::default();
        loop {
            let step = match execution.step(&budget).await {
                Ok(step) => step,
                Err(error) => return Ok(failed(made, error)),
            };
            made.log.extend(step.log);
            trace::extend(&mut made.traced, step.traced);
            made.new_keys = step.new_keys;
            if let Some(outcome) = step.done {
                if let Tree::Object(result) = outcome.result {
                    made.result = result;
                }
                return Ok(made);
            }
            let (plane, task) = (&self.plane, &self.task);
            let keys = std::mem::take(&mut made.new_keys);
            with_keys(plane.store.transaction(), &task.owner, &task.deployment, &keys, plane.now())?.commit().await?;
        }
    }

    /// Counts the object's end and keeps what it made, then ends the task if this was its last.
    async fn count(&self, made: &Made) {
        let counted = match self.counted(made).await {
            Ok(task) => {
                self.plane.notify_watchers(&task.owner).await;
                settle(&self.plane, task).await.map(drop)
            }
            Err(error) => Err(error),
        };
        if let Err(error) = counted {
            tracing::warn!(run.id = %self.task.run, error = error.with_causes(), "the end of an object was not counted");
        }
    }

    async fn counted(&self, made: &Made) -> Result<Task, Error> {
        let Worker { plane, task, .. } = self;
        let now = plane.now();
        let uncounted = if self.announced == 0 { self.arrival.bytes.load(Ordering::Relaxed) } else { 0 };
        let bytes = self.announced + uncounted;
        let ended = Ended { bytes, uncounted, error: made.error.clone() };
        // Before it is counted: who sees the count finds what is told of it.
        self.tell(made, now).await?;
        self.keep_log(&made.log).await?;
        if made.new_keys.is_empty() {
            Ok(plane.store.complete(task, &ended, now).await?)
        } else {
            let transaction = plane.store.transaction().complete(task, &ended, now);
            with_keys(transaction, &task.owner, &task.deployment, &made.new_keys, now)?.commit().await?;
            plane.store.task(&task.owner, &task.token).await?.ok_or_else(unknown)
        }
    }
}

impl Worker {
    async fn tell(&self, made: &Made, now: Timestamp) -> Result<(), Error> {
        let Worker { plane, task, .. } = self;
        let told = Told {
            pipe: self.number,
            name: self.name.chars().take(NAME_SHOWN).collect(),
            began_at: self.began_at,
            ended_at: now,
            traced: made.traced.clone(),
            result: trace::result(task.trace, &made.result),
            error: made.error.clone(),
            is_traced: task.trace != Trace::None,
        };
        if !told.is_worth_keeping() {
            return Ok(());
        }
        let (number, expires) = (task.counts.total_count, now + trace::KEPT);
        let transaction = plane.store.transaction();
        let chunk = transaction.trace(&task.owner, &task.deployment, &task.run, number, &told.text()?, expires)?;
        Ok(chunk.commit().await?)
    }

    async fn keep_log(&self, lines: &[LogLine]) -> Result<(), Error> {
        if lines.is_empty() {
            return Ok(());
        }
        let (store, task) = (&self.plane.store, &self.task);
        let text = serde_json::to_string(lines).map_err(Error::internal)?;
        let (number, expires) = (store.next_log_chunk(task).await?, task.opened_at + HISTORY);
        let chunk = store.transaction().log_chunk(&task.owner, &task.deployment, &task.run, number, &text, expires)?;
        Ok(chunk.commit().await?)
    }
}

fn failed(mut made: Made, error: tidemill_engine::Error) -> Made {
    trace::extend(&mut made.traced, *error.traced);
    let component = error.component.map(|component| format!("component `{component}`: ")).unwrap_or_default();
    let hint = error.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
    let message = format!("{component}{}{hint}", error.message);
    Made { error: Some(message), log: made.log.into_iter().chain(error.log).collect(), ..made }
}

fn facts(task: &Task) -> RunFacts {
    RunFacts {
        run_id: task.run.to_string(),
        project: task.deployment.project().to_string(),
        version: task.version,
        attempt: 1,
        trigger: "task".to_owned(),
        tick: None,
        previous_tick: None,
    }
}

/// A random UUID's text. <https://www.rfc-editor.org/rfc/rfc9562#section-5.4>
fn uuid(random: u128) -> String {
    let value = random & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let hex = format!("{value:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

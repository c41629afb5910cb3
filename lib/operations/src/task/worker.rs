//! The worker of an object that a task accepted: runs it through the pipeline while it arrives, and counts its end. It
//! gives a sign of life every few seconds; when those stop, the object is given up.

use crate::error::{Code, Error};
use crate::lease::{RENEWAL, renew_object};
use crate::plane::Plane;
use crate::run::preparation;
use crate::run::progress::{NEW_KEYS, with_keys};
use crate::task::life::{settle, unknown};
use crate::task::pipe::{Arrival, Sent};
use crate::task::trace::{self, ObjectTrace};
use futures::channel::mpsc::UnboundedSender;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value as Tree};
use std::sync::Arc;
use std::time::Duration;
use tidemill_engine::{
    Budget, Event, Gauge, Halt, Live, LogLine, NewKey, RunContext, RunFacts, RunInput, Running, Step, TraceEvents, Work,
};
use tidemill_model::retention::HISTORY;
use tidemill_model::run::ComponentCounts;
use tidemill_model::task::{ARRIVAL, Task, Trace};
use tidemill_model::version::NO_VERSION;
use tidemill_store::{Ended, Held};
use tokio::sync::OwnedSemaphorePermit;

/// Characters of an object's name that the task remembers.
pub(super) const NAME_SHOWN: usize = 256;
/// How long an object waits for a file that another object has open.
const START_PATIENCE: Duration = Duration::from_secs(30);
const START_PAUSE: Duration = Duration::from_millis(50);
/// How much of an object one step may do: all of it, but for the keys that one save takes.
const BUDGET: Budget = Budget { objects: usize::MAX, new_keys: NEW_KEYS, time: Duration::MAX, outside: Duration::MAX };

pub(super) struct ObjectWorker {
    pub plane: Arc<Plane>,
    pub task: Held<Task>,
    pub id: String,
    pub name: String,
    pub number: u64,
    pub began_at: Timestamp,
    pub listener: UnboundedSender<Event>,
    /// Bytes that were counted when it was accepted, if its caller knew them.
    pub announced: Option<u64>,
    pub arrival: Arc<Arrival>,
    pub _permit: OwnedSemaphorePermit,
}

/// What the engine made of an object.
#[derive(Default)]
struct Product {
    result: Map<String, Tree>,
    error: Option<String>,
    log: Vec<LogLine>,
    traced: TraceEvents,
    components: Vec<ComponentCounts>,
    /// Keys that are not saved yet.
    new_keys: Vec<NewKey>,
}

/// An object did not become whole in time.
struct TooLate;

impl Product {
    /// That of an object which did not become whole in time.
    fn too_late() -> Product {
        let seconds = ARRIVAL.as_secs();
        Product::error(format!("the task was ended {seconds} s ago, and the object was not whole yet"))
    }

    fn error(error: String) -> Product {
        Product { error: Some(error), ..Product::default() }
    }

    /// That of an object which goes no further after some steps.
    fn halted(mut self, halt: Halt, gauge: &Gauge) -> Result<Product, Error> {
        match halt {
            Halt::Failed(error) => Ok(self.failed(*error)),
            Halt::Died(death) => {
                self.log.extend(gauge.take_log());
                self.components = gauge.counts().unwrap_or_default().components;
                self.error = Some(format!("the process that executed it {}; {}", death.message, death.hint));
                Ok(self)
            }
            Halt::Unavailable(why) => Err(Error::new(Code::Unavailable, why)),
            Halt::Stopping => Err(Error::new(Code::Unavailable, "the plane is stopping").hint("send the object again")),
        }
    }

    /// That of an object which failed after some steps.
    fn failed(mut self, error: tidemill_engine::Error) -> Product {
        trace::extend(&mut self.traced, *error.traced);
        self.components = error.counts.components;
        let component = error.component.map(|component| format!("component `{component}`: ")).unwrap_or_default();
        let hint = error.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
        self.error = Some(format!("{component}{}{hint}", error.message));
        self.log.extend(error.log);
        self
    }
}

impl ObjectWorker {
    pub async fn work(self, live: Live) -> Result<Sent, Error> {
        let product = {
            let beside = self.stay_busy();
            let execute = self.execute(live);
            tokio::pin!(beside, execute);
            tokio::select! {
                product = &mut execute => product,
                TooLate = &mut beside => Ok(Product::too_late()),
            }
        };
        // The object has ended for the task, whatever the plane's trouble was.
        let product = product.unwrap_or_else(|error| Product::error(error.message));
        self.count(&product).await;
        Ok(Sent { name: self.name, object_id: self.id, result: product.result, error: product.error })
    }

    /// Gives a sign of life now and then, until it finds that the task was asked to end too long ago for what is still
    /// arriving.
    ///
    /// An object whose sign is refused was given up already, and goes on for its caller.
    async fn stay_busy(&self) -> TooLate {
        let mut pause = RENEWAL;
        loop {
            tokio::time::sleep(pause).await;
            let now = self.plane.now();
            match renew_object(&self.plane, &self.task).await {
                Ok(task) => match task.arrival(now).filter(|_| !self.arrival.is_whole()) {
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

    async fn execute(&self, live: Live) -> Result<Product, Error> {
        let ObjectWorker { plane, task, .. } = self;
        let plan = preparation::stored_plan(plane, &task.owner, task.deployment.project(), &task.plan_sha256).await?;
        let secrets = preparation::secrets(plane, &task.owner, &plan).await?;
        let variables = preparation::variables(plane, task).await?;
        let ambient = plane.ambient.clone();
        let context = RunContext {
            run: facts(task, &self.id),
            owner: Some(task.owner.clone()),
            input: RunInput::Live(live),
            secrets,
            variables,
            seen: preparation::seen(plane, &task.owner, &task.deployment),
            now: Arc::new(move || ambient.now()),
            host: plane.host.clone(),
            trace: task.trace,
            listener: Some(self.listener.clone()),
        };
        let work = Work { owner: task.owner.to_string(), plan, context, checkpoint: None };
        let waited = tokio::time::Instant::now();
        loop {
            let mut running = plane.engine.execute(work.clone());
            let first = running.step(BUDGET).await;
            let is_started = running.gauge().counts().is_some();
            match first {
                Err(Halt::Failed(error)) if error.retryable && !is_started && waited.elapsed() < START_PATIENCE => {
                    tokio::time::sleep(START_PAUSE).await;
                }
                first => return self.steps(running, first).await,
            }
        }
    }

    /// Steps until the object is through. The keys of each step but the last are saved as they come.
    async fn steps(&self, mut running: Box<dyn Running>, first: Result<Step, Halt>) -> Result<Product, Error> {
        let mut product = Product::default();
        let mut made = first;
        loop {
            let step = match made {
                Ok(step) => step,
                Err(halt) => return product.halted(halt, &running.gauge()),
            };
            product.log.extend(step.log);
            trace::extend(&mut product.traced, step.traced);
            product.new_keys = step.new_keys;
            product.components = step.counts.components;
            if let Some(outcome) = step.done {
                product.result = outcome.fields();
                return Ok(product);
            }
            let (plane, task) = (&self.plane, &self.task);
            let keys = std::mem::take(&mut product.new_keys);
            with_keys(plane.store.transaction(), &task.owner, &task.deployment, &keys, plane.now())?.commit().await?;
            made = running.step(BUDGET).await;
        }
    }

    /// Counts the object's end and keeps what it made, then ends the task if this was its last.
    async fn count(&self, product: &Product) {
        let counted = match self.counted(product).await {
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

    async fn counted(&self, product: &Product) -> Result<Task, Error> {
        let ObjectWorker { plane, task, .. } = self;
        let now = plane.now();
        let (bytes, uncounted) = match self.announced {
            Some(announced) => (announced, 0),
            None => (self.arrival.bytes(), self.arrival.bytes()),
        };
        let (error, components) = (product.error.clone(), product.components.clone());
        let ended = Ended { id: self.id.clone(), bytes, uncounted, error, components };
        // Before it is counted: a watcher that sees the count finds the trace.
        self.keep_trace(product, now).await?;
        self.keep_log(&product.log).await?;
        if product.new_keys.is_empty() {
            return Ok(plane.store.complete(task, &ended, now).await?);
        }
        let transaction = plane.store.transaction().complete(task, &ended, now);
        with_keys(transaction, &task.owner, &task.deployment, &product.new_keys, now)?.commit().await?;
        plane.store.task(&task.owner, &task.token).await?.ok_or_else(unknown)
    }

    async fn keep_trace(&self, product: &Product, now: Timestamp) -> Result<(), Error> {
        let ObjectWorker { plane, task, .. } = self;
        let trace = ObjectTrace {
            pipe: self.number,
            name: self.name.chars().take(NAME_SHOWN).collect(),
            began_at: self.began_at,
            ended_at: now,
            traced: product.traced.clone(),
            result: trace::result(task.trace, &product.result),
            error: product.error.clone(),
            is_traced: task.trace != Trace::None,
        };
        if !trace.is_worth_keeping() {
            return Ok(());
        }
        let (number, expires) = (task.counts.total_count, now + trace::KEPT);
        let transaction = plane.store.transaction();
        let chunk = transaction.trace(&task.owner, &task.deployment, &task.run, number, &trace.text()?, expires)?;
        Ok(chunk.commit().await?)
    }

    async fn keep_log(&self, lines: &[LogLine]) -> Result<(), Error> {
        if lines.is_empty() {
            return Ok(());
        }
        let (store, task) = (&self.plane.store, &self.task);
        let text = serde_json::to_string(lines).map_err(Error::internal)?;
        let (number, expires) = (store.next_log_chunk(task).await?, self.plane.now() + HISTORY);
        let chunk = store.transaction().log_chunk(&task.owner, &task.deployment, &task.run, number, &text, expires)?;
        Ok(chunk.commit().await?)
    }
}

fn facts(task: &Task, object: &str) -> RunFacts {
    RunFacts {
        run_id: task.run.to_string(),
        object: Some(object.to_owned()),
        project: task.deployment.project().to_string(),
        version: task.version.unwrap_or(NO_VERSION),
        attempt: 1,
        trigger: "task".to_owned(),
        tick: None,
        previous_tick: None,
    }
}

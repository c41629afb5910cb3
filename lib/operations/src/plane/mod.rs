//! What operations work with: the table, timers, bells, secrets, time and randomness.

pub mod doctor;
pub mod expiry;
pub mod fresh;
pub mod layout;
pub mod rates;
pub mod status;
pub mod sweep;
pub mod traffic;
pub mod turns;
pub mod wakes;

pub use doctor::Doctor;
pub use status::Status;

use crate::ambient::Ambient;
use crate::bell::Bell;
use crate::error::Error;
use crate::rollout::watches::Watches;
use futures::future::BoxFuture;
use jiff::Timestamp;
use secrecy::SecretString;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use tidemill_engine::{Engine, Host};
use tidemill_model::calendar::Calendar;
use tidemill_model::deployment::Deployment;
use tidemill_model::ids::{ConnectionId, KeyId, OwnerId, ProjectId, RunId};
use tidemill_model::key::{KeyKind, Scope};
use tidemill_model::lease::Process;
use tidemill_model::task::Task;
use tidemill_plan::Plan;
use tidemill_store::Store;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A whole plane. A laptop, a Lambda function and a test differ in what they put together here.
pub struct Plane {
    pub store: Store,
    pub timers: Arc<dyn Timers>,
    pub queue: Arc<dyn Queue>,
    pub cipher: Arc<dyn Cipher>,
    /// `None` where every WebSocket is held by the process that serves it.
    pub sockets: Option<Arc<dyn Sockets>>,
    pub ambient: Arc<dyn Ambient>,
    pub calendar: Calendar,
    /// Where pipelines are executed.
    pub engine: Arc<dyn Engine>,
    /// What they may use there.
    pub host: Arc<Host>,
    pub kind: KeyKind,
    pub workers: Workers,
    pub memory: Memory,
}

/// What the operations of a process keep in memory: nothing at its start, and nothing that decides.
#[derive(Default)]
pub struct Memory {
    pub plans: PlanCache,
    pub threads: Threads,
    /// Workers whose run is to be cancelled: every renewal of a lease finds the request, too.
    pub cancels: wakes::Wakes,
    /// Callers who wait for the end of a run.
    pub ends: wakes::Wakes,
    pub made: fresh::Made,
    pub finals: fresh::Finals,
    pub watches: Watches,
    pub hooks: traffic::Hooks,
    pub validations: traffic::Validations,
    /// Set when the process is about to stop: runs stop after their next save.
    pub stopping: AtomicBool,
}

impl Plane {
    pub fn now(&self) -> Timestamp {
        self.ambient.now()
    }

    pub fn uptime(&self) -> Duration {
        self.ambient.uptime()
    }

    pub fn is_local(&self) -> bool {
        self.kind == KeyKind::Local
    }

    pub fn is_stopping(&self) -> bool {
        self.memory.stopping.load(Ordering::Relaxed)
    }

    /// Sets a deployment's timer as the table has it. The table is the truth and the sweep repeats this, so a failure is
    /// logged and not the caller's.
    pub async fn follow(&self, deployment: &Deployment) {
        if let Err(error) = self.timers.follow(deployment).await {
            tracing::warn!(project.id = %deployment.id, error = error.with_causes(), "could not set the timer; the sweep will retry");
        }
    }

    /// Rings a bell. The sweep rings a lost one again, so a failure is logged and not the caller's.
    pub async fn ring(&self, bell: Bell, delay: Duration) {
        if let Err(error) = self.queue.ring(bell.clone(), delay).await {
            tracing::warn!(?bell, error = error.with_causes(), "could not ring a bell; the sweep will retry");
        }
    }

    /// Rings again for work that no worker took up. The next sweep repeats this, so a failure is logged and not the
    /// caller's.
    pub async fn ring_again(&self, bell: Bell) {
        if let Err(error) = self.queue.ring_again(bell.clone()).await {
            tracing::warn!(
                ?bell,
                error = error.with_causes(),
                "could not ring a bell again; the next sweep will retry"
            );
        }
    }
}

/// The caller of an operation: owner, key and scopes, with the instant and the idempotency key of the request.
#[derive(Clone, Debug)]
pub struct Call {
    pub owner: OwnerId,
    pub key: KeyId,
    pub scopes: Vec<Scope>,
    pub now: Timestamp,
    pub idempotency: Option<String>,
}

impl Call {
    /// Whether it may do more than look. Only then it is shown what is a right in itself: tasks' tokens and hooks' URLs.
    pub fn may_act(&self) -> bool {
        self.scopes.iter().any(|scope| matches!(scope, Scope::Control | Scope::Data | Scope::Admin))
    }

    /// The same call as of now, and no earlier than `written`: a record never gets an earlier stamp than the one it
    /// replaces, however long the call took and whatever the other writer's clock said.
    pub fn after(&self, plane: &Plane, written: Timestamp) -> Call {
        Call { now: plane.now().max(written), ..self.clone() }
    }
}

/// Rings a deployment's bell when it is due: EventBridge Scheduler, or local timers.
pub trait Timers: Send + Sync {
    /// Sets a deployment's timers as its record says, whatever there was before.
    fn follow<'a>(&'a self, deployment: &'a Deployment) -> BoxFuture<'a, Result<(), Error>>;
    /// The timers that a deployment has when they are as its record says.
    fn expected(&self, deployment: &Deployment) -> Vec<Timer>;
    /// Every timer there is: whether it rings, by its name.
    fn all(&self) -> BoxFuture<'_, Result<HashMap<String, bool>, Error>>;
    /// Deletes a timer, whether or not it exists.
    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Error>>;
}

/// One timer. Its name follows from owner, project and schedule, so one of another schedule has another name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timer {
    pub name: String,
    /// A paused deployment's timer is kept, and is silent.
    pub rings: bool,
}

/// Carries bells to workers, those of one deployment in order and one at a time: SQS FIFO, or a local queue.
pub trait Queue: Send + Sync {
    fn ring<'a>(&'a self, bell: Bell, delay: Duration) -> BoxFuture<'a, Result<(), Error>>;
    /// Rings past the bells in line for the same deployment: a dead worker may hold them.
    fn ring_again<'a>(&'a self, bell: Bell) -> BoxFuture<'a, Result<(), Error>>;
}

/// WebSockets that none of our processes holds: API Gateway's, or a test's.
pub trait Sockets: Send + Sync {
    fn send<'a>(&'a self, connection: &'a ConnectionId, text: &'a str) -> BoxFuture<'a, Result<Reached, Error>>;
    /// Closes a WebSocket, whether or not it is there.
    fn close<'a>(&'a self, connection: &'a ConnectionId) -> BoxFuture<'a, Result<(), Error>>;
}

/// Whether a WebSocket was there to send to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    Yes,
    Gone,
}

/// Seals secrets: AWS KMS, or a local key file.
pub trait Cipher: Send + Sync {
    fn seal<'a>(
        &'a self,
        owner: &'a OwnerId,
        name: &'a str,
        value: &'a SecretString,
    ) -> BoxFuture<'a, Result<String, Error>>;
    fn open<'a>(
        &'a self,
        owner: &'a OwnerId,
        name: &'a str,
        sealed: &'a str,
    ) -> BoxFuture<'a, Result<SecretString, Error>>;
}

/// This process among the workers.
#[derive(Clone, Debug)]
pub struct Workers {
    /// Names this process; new at every start.
    pub me: String,
    pub since: Timestamp,
    /// No other process works on this table, so a lease that does not name this one is void.
    pub alone: bool,
}

impl Workers {
    /// This process, as leases know it.
    pub fn this(&self) -> Process<'_> {
        Process { name: &self.me, is_alone: self.alone }
    }
}

/// Plans by what they are the plan of. Neither a version nor a stored body ever changes, so neither does its plan.
#[derive(Default)]
pub struct PlanCache(Mutex<CachedPlans>);

#[derive(Default)]
struct CachedPlans {
    plans: HashMap<PlanKey, Arc<Plan>>,
    /// Of the texts that the plans were made from.
    bytes: usize,
}

/// What a plan is found by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PlanKey {
    Version(OwnerId, ProjectId, u32),
    /// That of a version's source which another kind of trigger starts.
    OtherSource(OwnerId, ProjectId, u32),
    /// The sha256 of the plan itself.
    Body(String),
}

/// Bytes of the texts of the plans that are kept; all are dropped when there are more. A plan takes some times as much
/// memory as its text.
const PLAN_BYTES: usize = 32 * 1024 * 1024;
/// What a small plan counts at least, with its key.
const LEAST_BYTES: usize = 1024;

impl PlanCache {
    pub fn get(&self, key: &PlanKey) -> Option<Arc<Plan>> {
        self.0.lock().expect("no code panics while holding it").plans.get(key).cloned()
    }

    /// Keeps a plan that was made from a text of some bytes.
    pub fn put(&self, key: PlanKey, plan: Arc<Plan>, bytes: usize) {
        let mut cached = self.0.lock().expect("no code panics while holding it");
        let bytes = bytes.max(LEAST_BYTES);
        if cached.bytes + bytes > PLAN_BYTES {
            *cached = CachedPlans::default();
        }
        if bytes <= PLAN_BYTES && cached.plans.insert(key, plan).is_none() {
            cached.bytes += bytes;
        }
    }
}

/// How many objects of a task are worked on here at once. It spares memory and decides nothing.
#[derive(Default)]
pub struct Threads(Mutex<HashMap<RunId, Weak<Semaphore>>>);

impl Threads {
    /// Waits until fewer than the task's `threads` are taken, and takes one.
    pub async fn of(&self, task: &Task) -> OwnedSemaphorePermit {
        let threads = {
            let mut tasks = self.0.lock().expect("no code panics while holding it");
            tasks.retain(|_, threads| threads.strong_count() > 0);
            let known = tasks.get(&task.run).and_then(Weak::upgrade);
            known.unwrap_or_else(|| {
                let threads = Arc::new(Semaphore::new(task.threads as usize));
                tasks.insert(task.run.clone(), Arc::downgrade(&threads));
                threads
            })
        };
        threads.acquire_owned().await.expect("it is never closed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u32) -> PlanKey {
        PlanKey::Body(number.to_string())
    }

    #[test]
    fn the_plans_of_a_process_are_bounded_in_bytes() {
        let cache = PlanCache::default();
        let plan = Arc::new(Plan { nodes: Vec::new(), has_other_source: false });
        let third = PLAN_BYTES / 3;

        for number in 0..3 {
            cache.put(key(number), plan.clone(), third);
        }
        assert!((0..3).all(|number| cache.get(&key(number)).is_some()));
        cache.put(key(0), plan.clone(), third);
        assert!(cache.get(&key(0)).is_some());
        cache.put(key(9), plan.clone(), PLAN_BYTES + 1);

        assert!(cache.get(&key(9)).is_none(), "one that is too large by itself is not kept");
        for number in 0..40_000 {
            cache.put(key(number), plan.clone(), 1);
        }
        assert!(cache.0.lock().unwrap().plans.len() <= PLAN_BYTES / LEAST_BYTES);
    }
}

//! A process of the plane: it works until a call of the table, a bell or a timer is its last.

use super::bells::SimulatedQueue;
use super::clock::ProcessClock;
use super::gate;
use super::timers::SimulatedTimers;
use super::world::World;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use axum::body::Body;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tidemill_engine::{Host, InProcess, NetworkPolicy, Outbound};
use tidemill_local::{KeyFileCipher, table};
use tidemill_model::calendar::Calendar;
use tidemill_model::key::KeyKind;
use tidemill_operations::plane::{Memory, Workers};
use tidemill_operations::{Clock as _, Plane};
use tidemill_store::Store;
use tokio::sync::{Notify, watch};
use tokio::task::{AbortHandle, JoinHandle};

/// Whether a process lives, and what it has in hand.
pub struct Life {
    name: String,
    is_over: AtomicBool,
    ended: Notify,
    in_hand: Mutex<Vec<AbortHandle>>,
}

impl Life {
    fn new(name: String) -> Life {
        Life { name, is_over: AtomicBool::new(false), ended: Notify::new(), in_hand: Mutex::default() }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Ends the process at once. A task that it left to itself hangs at its next call for good.
    pub fn end(&self, world: &World) {
        if self.is_over.swap(true, Ordering::Relaxed) {
            return;
        }
        world.say(&self.name, "dies");
        for task in self.in_hand().drain(..) {
            task.abort();
        }
        self.ended.notify_one();
    }

    /// Waits for the end of the process.
    pub async fn ended(&self) {
        self.ended.notified().await;
    }

    fn in_hand(&self) -> MutexGuard<'_, Vec<AbortHandle>> {
        self.in_hand.lock().expect("no panic happens while it is held")
    }
}

/// A process that serves callers and answers bells.
pub struct Process {
    pub plane: Arc<Plane>,
    pub clock: Arc<ProcessClock>,
    pub life: Arc<Life>,
    pub service: axum::Router<()>,
}

impl Process {
    /// Starts a process, as its world's number so and so.
    pub fn start(world: &Arc<World>, queue: &SimulatedQueue, number: usize) -> Process {
        let life = Arc::new(Life::new(format!("process-{number}")));
        let clock = Arc::new(ProcessClock::new(world.time, world.chance.draw()));
        if !world.is_calm() {
            clock.jump(&world.chance);
        }
        let plane = Arc::new(plane(world, &life, &clock, queue));
        let service = tidemill_local::service(plane.clone(), watch::channel(false).1);
        world.say(life.name(), "starts");
        Process { plane, clock, life, service }
    }

    /// Lets the process work on something. Its death ends that.
    pub fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        let task = tokio::spawn(work);
        let mut in_hand = self.life.in_hand();
        in_hand.retain(|task| !task.is_finished());
        in_hand.push(task.abort_handle());
        task
    }

    /// Answers a request; `None` if the process dies over it.
    pub async fn answer(&self, request: http::Request<Body>) -> Option<(u16, serde_json::Value)> {
        let service = self.service.clone();
        let answered = self.spawn(async move {
            let answer = tower::ServiceExt::oneshot(service, request).await.expect("it always answers");
            let status = answer.status().as_u16();
            let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap_or_default();
            (status, serde_json::from_slice(&bytes).unwrap_or_default())
        });
        answered.await.ok()
    }
}

fn plane(world: &Arc<World>, life: &Arc<Life>, clock: &Arc<ProcessClock>, queue: &SimulatedQueue) -> Plane {
    let transport = gate::transport(world, life, queue);
    // The SDK asks again after a lost answer, at once: its pauses are drawn from chance of its own.
    let retries = match world.chance.is(500) {
        true => RetryConfig::standard().with_max_attempts(2).with_initial_backoff(Duration::ZERO),
        false => RetryConfig::disabled(),
    };
    // What waits at the gate is no stalled stream.
    let stalled = aws_sdk_dynamodb::config::StalledStreamProtectionConfig::disabled();
    let config = table::config(transport).retry_config(retries).stalled_stream_protection(stalled).build();
    Plane {
        store: Store::new(aws_sdk_dynamodb::Client::from_conf(config), table::TABLE)
            .with_jitter_of(world.chance.draw()),
        timers: Arc::new(SimulatedTimers::new(world, life)),
        queue: Arc::new(queue.of(life)),
        cipher: Arc::new(KeyFileCipher::new(&[7; 32], clock.clone())),
        sockets: None,
        ambient: clock.clone(),
        calendar: Calendar::default(),
        engine: Arc::new(InProcess::on(tokio::runtime::Handle::current())),
        host: Arc::new(Host {
            folders: None,
            outbound: Outbound::new(NetworkPolicy::Public).expect("a client can be made"),
        }),
        kind: KeyKind::Local,
        workers: Workers { me: life.name().to_owned(), since: clock.now(), alone: world.is_laptop },
        memory: Memory::default(),
    }
}

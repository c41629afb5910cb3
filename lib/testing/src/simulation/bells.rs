//! Bells that get lost, ring twice, late, or in another order. On a laptop they are gone with the process that rang them.

use super::cluster::Cluster;
use super::process::Life;
use super::world::World;
use super::wrong::Mistake;
use futures::future::BoxFuture;
use std::collections::HashMap;
use std::future::pending;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use tidemill_operations::bell::BellOutcome;
use tidemill_operations::{Bell, Code, Error, Queue};
use tidemill_protocols::functions;

/// How often one bell is delivered before it counts as lost.
const DELIVERIES: usize = 60;
/// Equal bells on their way at once; further ones are as good as those.
const AT_ONCE: usize = 2;
/// When a bell comes again whose process died.
const AGAIN: Duration = Duration::from_secs(20);

/// The queue of a process.
#[derive(Clone)]
pub struct SimulatedQueue {
    world: Arc<World>,
    cluster: Weak<Cluster>,
    life: Option<Arc<Life>>,
    on_their_way: Arc<Mutex<HashMap<Bell, usize>>>,
}

impl SimulatedQueue {
    /// The queue that the world itself rings by.
    pub fn new(world: &Arc<World>, cluster: Weak<Cluster>) -> SimulatedQueue {
        SimulatedQueue { world: world.clone(), cluster, life: None, on_their_way: Arc::default() }
    }

    /// The same queue for a process.
    pub fn of(&self, life: &Arc<Life>) -> SimulatedQueue {
        SimulatedQueue { life: Some(life.clone()), ..self.clone() }
    }

    /// Sends a bell on its way: most come, and come once.
    pub fn send(&self, bell: &Bell, delay: Duration) {
        let world = &self.world;
        let times = match (world.fails(60), world.fails(world.day.doubled_bells())) {
            (true, _) => 0,
            (_, true) => 2,
            _ => 1,
        };
        if times == 0 {
            world.say("bells", format_args!("lost: {}", named(bell)));
        }
        for _ in 0..times {
            let late = if world.fails(40) { 50_000 } else { 30 };
            self.deliver(bell, delay + world.chance.millis(1, late));
        }
    }

    fn deliver(&self, bell: &Bell, delay: Duration) {
        let mut on_their_way = self.on_their_way.lock().expect("no panic happens while it is held");
        let equal = on_their_way.entry(bell.clone()).or_default();
        if *equal < AT_ONCE {
            *equal += 1;
            tokio::spawn(self.clone().carry(bell.clone(), delay));
        }
    }

    async fn carry(self, bell: Bell, delay: Duration) {
        let mut next = Some(delay);
        for _ in 0..DELIVERIES {
            let Some(delay) = next else { break };
            tokio::time::sleep(delay).await;
            if self.is_gone() {
                break;
            }
            next = self.ring_at_a_process(&bell).await;
        }
        *self.on_their_way.lock().expect("no panic happens while it is held").entry(bell).or_insert(1) -= 1;
    }

    /// Whether the bell went with the memory that it was in.
    fn is_gone(&self) -> bool {
        self.world.is_laptop && self.life.as_ref().is_some_and(|life| life.is_over())
    }

    /// Lets some process answer the bell, and says when it rings again.
    async fn ring_at_a_process(&self, bell: &Bell) -> Option<Duration> {
        let Some(process) = self.cluster.upgrade().and_then(|cluster| cluster.any()) else { return Some(AGAIN) };
        let world = &self.world;
        world.say(process.life.name(), format_args!("hears {}", named(bell)));
        let (plane, heard) = (process.plane.clone(), bell.clone());
        let answered = process.spawn(async move { functions::bell_handler(heard.queue())(&plane, heard, None).await });
        let answered = answered.await;
        match &answered {
            Ok(Ok(outcome)) => world.say(process.life.name(), format_args!("{}: {outcome:?}", named(bell))),
            Ok(Err(error)) => world.say(process.life.name(), format_args!("{}: {:?}", named(bell), error.code)),
            Err(_) => world.say("bells", format_args!("{} was in the hands of the dead", named(bell))),
        }
        match answered {
            Ok(Ok(BellOutcome::Done)) => None,
            Ok(Ok(BellOutcome::RingAgain(delay))) => Some(delay + world.chance.millis(500, 4_000)),
            Ok(Err(error)) if error.code == Code::Internal => {
                world.violated(format!("a bell failed for a bug: {}", error.with_causes()));
                None
            }
            Err(panic) if panic.is_panic() => {
                world.violated(format!("the handler of {} panicked", named(bell)));
                None
            }
            _ => Some(AGAIN),
        }
    }
}

impl Queue for SimulatedQueue {
    fn ring<'a>(&'a self, bell: Bell, delay: Duration) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let world = &self.world;
            tokio::time::sleep(world.chance.millis(1, 5)).await;
            if let Some(life) = &self.life {
                if world.fails(5) {
                    life.end(world);
                }
                if life.is_over() {
                    pending().await
                }
            }
            let was_rung = world.mistake == Some(Mistake::BellFirst) && matches!(bell, Bell::Run { .. });
            if !was_rung {
                self.send(&bell, delay);
            }
            if world.fails(20) { Err(Error::new(Code::Unavailable, "the queue does not answer")) } else { Ok(()) }
        })
    }

    fn ring_again<'a>(&'a self, bell: Bell) -> BoxFuture<'a, Result<(), Error>> {
        self.ring(bell, Duration::ZERO)
    }
}

/// A bell in short.
fn named(bell: &Bell) -> String {
    match bell {
        Bell::Tick { deployment, .. } => format!("tick of {deployment}"),
        Bell::Run { run, .. } => format!("run {run}"),
        Bell::Rollout { rollout, .. } => format!("rollout {rollout}"),
        other => format!("{other:?}"),
    }
}

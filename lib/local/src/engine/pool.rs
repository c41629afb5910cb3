//! The engine processes of a plane. One is taken per execution, used again after a clean end, and killed otherwise.

use super::process::Process;
use super::program::Program;
use super::running::Remote;
use super::shares;
use std::collections::HashMap;
use std::io;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;
use tidemill_engine::{Engine, Running, Work};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// Objects of tasks that are executed at once; each waits for its sender, and more of them wait in line.
const OBJECTS: usize = 64;
/// How long an execution may compute before its priority is that of its owner's part.
const HUNGRY: Duration = Duration::from_millis(200);
/// How often that is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// How long processes stay that are not needed.
const IDLE: Duration = Duration::from_secs(10);

/// Executes plans in processes of their own.
pub struct Processes(Arc<Pool>);

/// The processes.
pub struct Pool {
    state: Mutex<State>,
    objects: Arc<Semaphore>,
}

#[derive(Default)]
struct State {
    idle: Vec<(Process, Instant)>,
    /// By their ids.
    in_hand: HashMap<u32, InHand>,
}

/// A process that executes something.
struct InHand {
    owner: String,
    /// What it had computed before, for others.
    before: Duration,
    priority: i32,
}

/// A process that was taken from the pool. It is killed unless it is given back.
pub struct Taken {
    /// `None` once it is given away.
    process: Option<Process>,
    id: u32,
    pool: Arc<Pool>,
}

impl Processes {
    /// The engine of a plane, with one process ready.
    pub fn start(_: Program) -> Processes {
        let pool = Arc::new(Pool { state: Mutex::default(), objects: Arc::new(Semaphore::new(OBJECTS)) });
        match Process::spawn() {
            Ok(process) => pool.state().idle.push((process, Instant::now())),
            Err(error) => tracing::warn!(%error, "no engine process can be started"),
        }
        tokio::spawn(keep(Arc::downgrade(&pool)));
        Processes(pool)
    }
}

impl Engine for Processes {
    fn execute(&self, work: Work) -> Box<dyn Running> {
        Box::new(Remote::new(self.0.clone(), work))
    }

    fn is_apart(&self) -> bool {
        true
    }
}

impl Pool {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic happens while it is held")
    }

    /// Takes a process for something of an owner's, or starts one.
    pub fn take(self: &Arc<Self>, owner: &str) -> io::Result<Taken> {
        let process = match self.take_idle() {
            Some(process) => process,
            None => Process::spawn()?,
        };
        let id = process.id().ok_or(io::ErrorKind::BrokenPipe)?;
        let (owner, before) = (owner.to_owned(), shares::processor_time(id));
        let in_hand = InHand { owner, before, priority: shares::FIRST };
        self.state().in_hand.insert(id, in_hand);
        Ok(Taken { process: Some(process), id, pool: self.clone() })
    }

    fn take_idle(&self) -> Option<Process> {
        loop {
            let (mut process, _) = self.state().idle.pop()?;
            if process.is_alive() {
                return Some(process);
            }
        }
    }

    /// A place among the objects that are executed at once.
    pub async fn place(&self) -> OwnedSemaphorePermit {
        self.objects.clone().acquire_owned().await.expect("it is never closed")
    }

    /// Lowers the priority of what computes, and ends processes that are not needed.
    fn look(&self, now: Instant) {
        let unneeded = {
            let mut state = self.state();
            state.share_processors();
            state.unneeded(now)
        };
        drop(unneeded);
    }
}

impl State {
    fn share_processors(&mut self) {
        let is_hungry = |id: u32, one: &InHand| shares::processor_time(id).saturating_sub(one.before) >= HUNGRY;
        let hungry: Vec<u32> =
            self.in_hand.iter().filter(|(id, one)| is_hungry(**id, one)).map(|(id, _)| *id).collect();
        let mut of_owners = HashMap::<String, usize>::new();
        for id in &hungry {
            *of_owners.entry(self.in_hand[id].owner.clone()).or_default() += 1;
        }
        for id in hungry {
            let Some(one) = self.in_hand.get_mut(&id) else { continue };
            let priority = shares::of(of_owners[&one.owner]);
            if priority > one.priority {
                one.priority = priority;
                shares::set(id, priority);
            }
        }
    }

    /// Those that have been idle for long, but for one per processor.
    fn unneeded(&mut self, now: Instant) -> Vec<Process> {
        let kept = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let surplus = self.idle.len().saturating_sub(kept);
        let old = self.idle.iter().take_while(|(_, since)| now.duration_since(*since) >= IDLE).count();
        self.idle.drain(..old.min(surplus)).map(|(process, _)| process).collect()
    }
}

impl Taken {
    pub fn process(&mut self) -> &mut Process {
        self.process.as_mut().expect("it is given away by value")
    }

    /// Gives it back after a clean end. One whose priority was lowered is not used again: it cannot be raised.
    pub fn give_back(mut self) {
        let Some(process) = self.process.take() else { return };
        let mut state = self.pool.state();
        let in_hand = state.in_hand.remove(&self.id);
        if in_hand.is_some_and(|one| one.priority == shares::FIRST) {
            state.idle.push((process, Instant::now()));
        }
    }

    /// The process, to be killed or buried.
    pub fn into_process(mut self) -> Process {
        self.process.take().expect("it is given away by value")
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.pool.state().in_hand.remove(&self.id);
    }
}

/// Looks at the processes now and then, as long as there is the pool.
async fn keep(pool: Weak<Pool>) {
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(pool) = pool.upgrade() else { return };
        pool.look(Instant::now());
    }
}

//! The processes that work on one table: those that die are followed by others; the minute's sweep and the timers ring at any.

use super::bells::SimulatedQueue;
use super::process::Process;
use super::world::World;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tidemill_operations::plane;

/// Processes beside each other, in the cloud.
const PROCESSES: usize = 2;

/// The processes that live now.
pub struct Cluster {
    pub world: Arc<World>,
    pub queue: SimulatedQueue,
    processes: Mutex<Vec<Arc<Process>>>,
    started: AtomicUsize,
}

impl Cluster {
    /// Starts the processes, the timers and the sweep.
    pub fn start(world: &Arc<World>) -> Arc<Cluster> {
        let cluster = Arc::new_cyclic(|cluster| Cluster {
            world: world.clone(),
            queue: SimulatedQueue::new(world, cluster.clone()),
            processes: Mutex::default(),
            started: AtomicUsize::default(),
        });
        for _ in 0..if world.is_laptop { 1 } else { PROCESSES } {
            tokio::spawn(cluster.clone().keep_one_alive());
        }
        tokio::spawn(cluster.clone().ring_timers());
        tokio::spawn(cluster.clone().sweep_each_minute());
        tokio::spawn(cluster.clone().let_clocks_jump());
        cluster
    }

    /// Any process that lives.
    pub fn any(&self) -> Option<Arc<Process>> {
        let processes = self.processes();
        if processes.is_empty() { None } else { Some(self.world.chance.one_of(&processes).clone()) }
    }

    /// Waits for any process that lives.
    pub async fn one(&self) -> Arc<Process> {
        loop {
            match self.any() {
                Some(process) => return process,
                None => tokio::time::sleep(Duration::from_millis(250)).await,
            }
        }
    }

    async fn keep_one_alive(self: Arc<Cluster>) {
        loop {
            let process = self.start_one();
            if self.world.is_laptop {
                let plane = process.plane.clone();
                process.spawn(async move { plane::sweep::after_start(&plane).await.map(drop) });
            }
            process.life.ended().await;
            self.processes().retain(|one| !one.life.is_over());
            if self.world.is_laptop {
                self.world.forget_timers();
            }
            tokio::time::sleep(self.world.chance.millis(500, 20_000)).await;
        }
    }

    fn start_one(&self) -> Arc<Process> {
        let number = self.started.fetch_add(1, Ordering::Relaxed) + 1;
        let process = Arc::new(Process::start(&self.world, &self.queue, number));
        self.processes().push(process.clone());
        process
    }

    fn processes(&self) -> MutexGuard<'_, Vec<Arc<Process>>> {
        self.processes.lock().expect("no panic happens while it is held")
    }

    /// Rings the timers that are due: within the minute, as the cloud's do.
    async fn ring_timers(self: Arc<Cluster>) {
        loop {
            tokio::time::sleep(Duration::from_secs(2)).await;
            for bell in self.world.timers().due(self.world.time.now()) {
                let late = if self.world.fails(150) { 59_000 } else { 500 };
                self.queue.send(&bell, self.world.chance.millis(1, late));
            }
        }
    }

    async fn sweep_each_minute(self: Arc<Cluster>) {
        loop {
            let (from, to) = if self.world.is_calm() { (18_000, 22_000) } else { self.world.day.sweeps() };
            tokio::time::sleep(self.world.chance.millis(from, to)).await;
            let process = self.one().await;
            self.world.say(process.life.name(), "sweeps");
            let plane = process.plane.clone();
            process.spawn(async move { plane::sweep::run(&plane).await.map(drop) });
        }
    }

    async fn let_clocks_jump(self: Arc<Cluster>) {
        while !self.world.is_calm() {
            tokio::time::sleep(self.world.chance.millis(5_000, 60_000)).await;
            if let Some(process) = self.any() {
                let error = process.clock.jump(&self.world.chance);
                self.world.say(process.life.name(), format_args!("its clock is wrong by {error} ms"));
            }
        }
    }
}

//! The clocks of the simulated processes: all of them follow tokio's paused one, each with an error of its own.

use super::chance::Chance;
use jiff::{SignedDuration, Timestamp};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tidemill_operations::{Clock, Entropy};
use tokio::time::Instant;

/// Where simulated time starts.
const START: &str = "2026-03-02T10:00:30Z";
/// How far a clock may jump, in milliseconds.
const JUMP: u64 = 5_000;

/// True time.
#[derive(Clone, Copy)]
pub struct Time(Instant);

impl Time {
    /// Starts now, inside of a runtime whose time is paused.
    pub fn start() -> Time {
        Time(Instant::now())
    }

    pub fn now(self) -> Timestamp {
        let start: Timestamp = START.parse().expect("the start is an instant");
        start + SignedDuration::from_millis(self.0.elapsed().as_millis() as i64)
    }
}

/// The clock of one process, and its random numbers.
pub struct ProcessClock {
    time: Time,
    error: AtomicI64,
    chance: Chance,
}

impl ProcessClock {
    pub fn new(time: Time, seed: u64) -> ProcessClock {
        ProcessClock { time, error: AtomicI64::new(0), chance: Chance::of(seed) }
    }

    /// Lets the clock be wrong by up to five seconds, either way.
    pub fn jump(&self, chance: &Chance) -> i64 {
        let error = chance.below(2 * JUMP + 1) as i64 - JUMP as i64;
        self.error.store(error, Ordering::Relaxed);
        error
    }
}

impl Clock for ProcessClock {
    fn now(&self) -> Timestamp {
        self.time.now() + SignedDuration::from_millis(self.error.load(Ordering::Relaxed))
    }

    fn uptime(&self) -> Duration {
        self.time.0.elapsed()
    }
}

impl Entropy for ProcessClock {
    fn fill(&self, bytes: &mut [u8]) {
        self.chance.fill(bytes);
    }
}

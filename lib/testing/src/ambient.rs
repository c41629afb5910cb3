//! Time that stands still until a test advances it, and random numbers that repeat.

use crate::simulation::Chance;
use jiff::{SignedDuration, Timestamp};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use tidemill_operations::{Clock, Entropy};

/// A clock to advance, and numbers from a seed.
pub struct TestAmbient {
    times: Mutex<Times>,
    chance: Chance,
}

struct Times {
    now: Timestamp,
    uptime: Duration,
}

impl TestAmbient {
    pub fn at(now: Timestamp) -> TestAmbient {
        TestAmbient {
            times: Mutex::new(Times { now, uptime: Duration::ZERO }),
            chance: Chance::of(0x9E37_79B9_7F4A_7C15),
        }
    }

    /// Corrects the clock, forward or back. No time goes by.
    pub fn set(&self, now: Timestamp) {
        self.times().now = now;
    }

    /// Lets time go by.
    pub fn advance(&self, by: SignedDuration) {
        let mut times = self.times();
        times.now += by;
        times.uptime += by.unsigned_abs();
    }

    fn times(&self) -> MutexGuard<'_, Times> {
        self.times.lock().expect("no panic happens while it is held")
    }
}

impl Clock for TestAmbient {
    fn now(&self) -> Timestamp {
        self.times().now
    }

    fn uptime(&self) -> Duration {
        self.times().uptime
    }
}

/// The clock by which the table deletes what has expired.
impl dynoxide::storage_backend::Clock for TestAmbient {
    fn now_unix_secs(&self) -> u64 {
        self.now().as_second().try_into().unwrap_or(0)
    }

    fn now_unix_secs_f64(&self) -> f64 {
        self.now().as_duration().as_secs_f64()
    }
}

impl Entropy for TestAmbient {
    fn fill(&self, bytes: &mut [u8]) {
        self.chance.fill(bytes);
    }
}

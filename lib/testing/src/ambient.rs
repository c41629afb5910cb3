//! Time that stands still until a test advances it, and random numbers that repeat.

use crate::simulation::Chance;
use jiff::{SignedDuration, Timestamp};
use std::sync::Mutex;
use tidemill_operations::{Clock, Entropy};

/// A clock to advance, and numbers from a seed.
pub struct TestAmbient {
    now: Mutex<Timestamp>,
    chance: Chance,
}

impl TestAmbient {
    pub fn at(now: Timestamp) -> TestAmbient {
        TestAmbient { now: Mutex::new(now), chance: Chance::of(0x9E37_79B9_7F4A_7C15) }
    }

    pub fn set(&self, now: Timestamp) {
        *self.now.lock().expect("no panic happens while it is held") = now;
    }

    pub fn advance(&self, by: SignedDuration) {
        *self.now.lock().expect("no panic happens while it is held") += by;
    }
}

impl Clock for TestAmbient {
    fn now(&self) -> Timestamp {
        *self.now.lock().expect("no panic happens while it is held")
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

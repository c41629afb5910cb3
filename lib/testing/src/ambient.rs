//! Time that stands still until a test advances it, and random numbers that repeat.

use jiff::{SignedDuration, Timestamp};
use std::sync::Mutex;
use tidemill_operations::{Clock, Entropy};

/// A clock to advance, and numbers from a seed.
pub struct TestAmbient {
    now: Mutex<Timestamp>,
    seed: Mutex<u64>,
}

impl TestAmbient {
    pub fn at(now: Timestamp) -> TestAmbient {
        TestAmbient { now: Mutex::new(now), seed: Mutex::new(0x9E37_79B9_7F4A_7C15) }
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
    /// SplitMix64. <https://prng.di.unimi.it/splitmix64.c>
    fn fill(&self, bytes: &mut [u8]) {
        let mut seed = self.seed.lock().expect("no panic happens while it is held");
        for chunk in bytes.chunks_mut(8) {
            *seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut mixed = *seed;
            mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
            mixed ^= mixed >> 31;
            chunk.copy_from_slice(&mixed.to_le_bytes()[..chunk.len()]);
        }
    }
}

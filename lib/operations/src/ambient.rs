//! Time and randomness, which operations take as arguments.

use jiff::Timestamp;
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use tidemill_model::ids::RunId;

/// Gives the time.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;

    /// How long this process has been up, whatever becomes of [`Clock::now`]: a clock is set, forward or back, and this one goes on.
    fn uptime(&self) -> Duration;
}

/// Gives unguessable bytes.
pub trait Entropy: Send + Sync {
    fn fill(&self, bytes: &mut [u8]);
}

/// What surrounds a plane: the system's in a process that serves, one to advance in tests.
pub trait Ambient: Clock + Entropy {}

impl<T: Clock + Entropy> Ambient for T {}

impl dyn Ambient + '_ {
    pub fn random_u128(&self) -> u128 {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        u128::from_le_bytes(bytes)
    }

    /// Evenly from 0 to 1.
    pub fn jitter(&self) -> f64 {
        (self.random_u128() >> 75) as f64 / (1u64 << 53) as f64
    }

    pub fn run_id(&self) -> RunId {
        RunId::new(self.now(), self.random_u128())
    }
}

/// The clock and the random numbers of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemAmbient;

impl Clock for SystemAmbient {
    #[expect(clippy::disallowed_methods, reason = "the plane takes the time from here")]
    fn now(&self) -> Timestamp {
        // The wire and the table keep milliseconds; cutting here keeps what is answered equal to what is stored.
        Timestamp::from_millisecond(Timestamp::now().as_millisecond()).expect("the clock is within the range of years")
    }

    #[expect(clippy::disallowed_methods, reason = "the plane takes the time from here")]
    fn uptime(&self) -> Duration {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        START.elapsed()
    }
}

impl Entropy for SystemAmbient {
    #[expect(clippy::disallowed_methods, reason = "the plane takes random bytes from here")]
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system gives random numbers");
    }
}

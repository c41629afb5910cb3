//! Numbers from a seed: the same ones in the same order, on every machine.

use std::sync::Mutex;
use std::time::Duration;

/// A generator. SplitMix64. <https://prng.di.unimi.it/splitmix64.c>
pub struct Chance(Mutex<u64>);

impl Chance {
    pub fn of(seed: u64) -> Chance {
        Chance(Mutex::new(seed))
    }

    pub fn draw(&self) -> u64 {
        let mut seed = self.0.lock().expect("no panic happens while it is held");
        *seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = *seed;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    /// A number below `end`, which is not 0.
    pub fn below(&self, end: u64) -> u64 {
        self.draw() % end
    }

    /// Whether something happens that does so this often in a thousand times.
    pub fn is(&self, in_thousand: u64) -> bool {
        self.below(1000) < in_thousand
    }

    /// One of some; there is at least one.
    pub fn one_of<'a, T>(&self, some: &'a [T]) -> &'a T {
        &some[self.below(some.len() as u64) as usize]
    }

    /// A duration between two numbers of milliseconds, the second left out.
    pub fn millis(&self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to - from))
    }

    pub fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.draw().to_le_bytes()[..chunk.len()]);
        }
    }
}

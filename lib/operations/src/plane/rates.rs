//! How often something may be asked for: token buckets.
//!
//! They live in the memory of a process. A rate decides nothing about data, so a restart may begin with full buckets, and a
//! function's instances each have their own: the table is asked nothing for a request that is refused.

use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Mutex;
use std::time::Duration;

/// Buckets that are kept before the full ones are forgotten.
const KEPT: usize = 10_000;

/// How often something may be asked for.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// So often at once.
    pub burst: u32,
    /// And then so often in a second.
    pub per_second: u32,
}

impl Rate {
    /// In which time one more is allowed.
    const fn interval(self) -> SignedDuration {
        SignedDuration::from_nanos(1_000_000_000 / self.per_second as i64)
    }
}

/// A bucket for each key, as the instant at which it is full again.
/// <https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm>
pub struct Buckets<K> {
    rate: Rate,
    full_at: Mutex<HashMap<K, Timestamp>>,
}

impl<K: Eq + Hash> Buckets<K> {
    pub fn new(rate: Rate) -> Buckets<K> {
        Buckets { rate, full_at: Mutex::default() }
    }

    /// Takes one from a bucket.
    ///
    /// # Errors
    /// After what time there is one again.
    pub fn take(&self, key: K, now: Timestamp) -> Result<(), Duration> {
        let interval = self.rate.interval();
        let longest = interval * i32::try_from(self.rate.burst).unwrap_or(i32::MAX);
        let mut buckets = self.full_at.lock().expect("no code panics while holding it");
        if buckets.len() >= KEPT && !buckets.contains_key(&key) {
            buckets.retain(|_, full_at| *full_at > now);
        }
        let full_at = buckets.entry(key).or_insert(now);
        // Where the clock was set back, a bucket is empty at most.
        let missing = full_at.duration_since(now).clamp(SignedDuration::ZERO, longest) + interval;
        match Duration::try_from(missing - longest) {
            Ok(wait) if !wait.is_zero() => Err(wait),
            _ => {
                *full_at = now + missing;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { burst: 3, per_second: 2 };

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(1_000_000 + milliseconds).unwrap()
    }

    #[test]
    fn a_burst_is_taken_and_then_the_rate() {
        let buckets = Buckets::new(RATE);
        for _ in 0..3 {
            buckets.take("a", at(0)).unwrap();
        }
        assert_eq!(buckets.take("a", at(0)), Err(Duration::from_millis(500)));
        assert_eq!(buckets.take("a", at(200)), Err(Duration::from_millis(300)));
        assert_eq!(buckets.take("a", at(500)), Ok(()));
        assert_eq!(buckets.take("a", at(500)), Err(Duration::from_millis(500)));
        assert_eq!(buckets.take("b", at(500)), Ok(()));
    }

    #[test]
    fn a_bucket_fills_up_again_and_no_further() {
        let buckets = Buckets::new(RATE);
        buckets.take("a", at(0)).unwrap();
        let taken = (0..10).take_while(|_| buckets.take("a", at(60_000)).is_ok()).count();
        assert_eq!(taken, 3);
    }

    #[test]
    fn a_clock_that_is_set_back_empties_a_bucket_at_most() {
        let buckets = Buckets::new(RATE);
        buckets.take("a", at(86_400_000)).unwrap();
        assert_eq!(buckets.take("a", at(0)), Err(Duration::from_millis(500)));
        assert_eq!(buckets.take("a", at(-1_000_000)), Err(Duration::from_millis(500)));
    }

    #[test]
    fn full_buckets_are_forgotten() {
        let buckets = Buckets::new(RATE);
        for key in 0..KEPT {
            buckets.take(key, at(0)).unwrap();
        }
        buckets.take(KEPT, at(60_000)).unwrap();
        assert_eq!(buckets.full_at.lock().unwrap().len(), 1);
    }
}

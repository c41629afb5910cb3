//! How much is done for the same one at once, so that a flood waits in its own line and not in front of others.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, Weak};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The lines of a process, by what stands in them. They decide nothing.
pub struct Turns<K> {
    at_once: usize,
    lines: Mutex<HashMap<K, Weak<Semaphore>>>,
}

/// A turn; given up when it is dropped.
pub struct Turn(#[expect(dead_code, reason = "it is held")] OwnedSemaphorePermit);

impl<K: Eq + Hash> Turns<K> {
    pub fn new(at_once: usize) -> Turns<K> {
        Turns { at_once, lines: Mutex::default() }
    }

    /// Waits for a turn, behind those who came before.
    pub async fn of(&self, key: K) -> Turn {
        Turn(self.line(key).acquire_owned().await.expect("it is never closed"))
    }

    fn line(&self, key: K) -> Arc<Semaphore> {
        let mut lines = self.lines.lock().expect("no code panics while holding it");
        if let Some(line) = lines.get(&key).and_then(Weak::upgrade) {
            return line;
        }
        lines.retain(|_, line| line.strong_count() > 0);
        let line = Arc::new(Semaphore::new(self.at_once));
        lines.insert(key, Arc::downgrade(&line));
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[test]
    fn who_waits_for_a_turn_keeps_no_other_waiting() {
        let turns = Turns::new(2);
        let first = turns.of("a").now_or_never().expect("there is a turn");
        let _second = turns.of("a").now_or_never().expect("there is a turn");

        assert!(turns.of("a").now_or_never().is_none());
        assert!(turns.of("b").now_or_never().is_some());

        drop(first);
        assert!(turns.of("a").now_or_never().is_some());
    }
}

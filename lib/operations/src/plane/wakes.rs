//! Those of this process who wait for something of a run.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};
use tidemill_model::ids::RunId;
use tokio::sync::Notify;

/// Below this number those who are gone are not looked for.
const FEW: usize = 64;

/// Wakes those who wait. It spares them a while: what they wait for is in the table, and they look there, too.
#[derive(Default)]
pub struct Wakes(Mutex<Runs>);

#[derive(Default)]
struct Runs {
    waited_for: HashMap<RunId, Weak<Notify>>,
    /// How many there were after the last look for those who are gone.
    were: usize,
}

impl Wakes {
    /// What is notified; as long as somebody holds it, a notification that comes before the wait is kept.
    pub fn of(&self, run: &RunId) -> Arc<Notify> {
        let mut runs = self.0.lock().expect("no code panics while holding it");
        if runs.waited_for.len() > runs.were * 2 + FEW {
            runs.waited_for.retain(|_, waits| waits.strong_count() > 0);
            runs.were = runs.waited_for.len();
        }
        let known = runs.waited_for.get(run).and_then(Weak::upgrade);
        known.unwrap_or_else(|| {
            let waits = Arc::<Notify>::default();
            runs.waited_for.insert(run.clone(), Arc::downgrade(&waits));
            waits
        })
    }

    /// Wakes one who waits.
    pub fn notify(&self, run: &RunId) {
        let runs = self.0.lock().expect("no code panics while holding it");
        if let Some(waits) = runs.waited_for.get(run).and_then(Weak::upgrade) {
            waits.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    #[test]
    fn those_who_are_gone_are_not_kept() {
        let wakes = Wakes::default();
        let stays = wakes.of(&RunId::new(Timestamp::UNIX_EPOCH, 0));

        for number in 1..10_000 {
            drop(wakes.of(&RunId::new(Timestamp::UNIX_EPOCH, number)));
        }

        let runs = wakes.0.lock().unwrap();
        assert!(runs.waited_for.len() <= FEW + 3, "{}", runs.waited_for.len());
        assert!(runs.waited_for.values().any(|waits| waits.upgrade().is_some_and(|it| Arc::ptr_eq(&it, &stays))));
    }
}

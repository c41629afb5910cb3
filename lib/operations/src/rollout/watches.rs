//! The rollouts that are followed in this process, and what their followers see.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};
use tidemill_model::ids::RolloutId;
use tidemill_model::rollout::{Resource, Rollout};
use tokio::sync::{Notify, watch};

/// A rollout as it is, with what became of the resources that are settled.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub rollout: Rollout,
    pub resources: Arc<Vec<Resource>>,
}

/// A rollout that is being followed; snapshots arrive while this is held.
pub type Following = watch::Receiver<Snapshot>;

/// The rollouts that are followed in this process. It spares reads and decides nothing.
#[derive(Default)]
pub struct Watches(Mutex<HashMap<RolloutId, Watch>>);

struct Watch {
    sender: Weak<watch::Sender<Snapshot>>,
    moved: Arc<Notify>,
}

impl Watches {
    /// Wakes the followers of a rollout that has moved on.
    pub fn moved(&self, id: &RolloutId) {
        if let Some(watch) = self.watches().get(id) {
            watch.moved.notify_one();
        }
    }

    fn watches(&self) -> std::sync::MutexGuard<'_, HashMap<RolloutId, Watch>> {
        self.0.lock().expect("no code panics while holding it")
    }

    pub(crate) fn following(&self, id: &RolloutId) -> Option<(Arc<watch::Sender<Snapshot>>, Following)> {
        let sender = self.watches().get(id)?.sender.upgrade()?;
        let following = sender.subscribe();
        Some((sender, following))
    }

    pub(crate) fn keep(&self, id: &RolloutId, sender: &Arc<watch::Sender<Snapshot>>) -> Arc<Notify> {
        let moved = Arc::<Notify>::default();
        let mut watches = self.watches();
        watches.retain(|_, watch| watch.sender.strong_count() > 0);
        watches.insert(id.clone(), Watch { sender: Arc::downgrade(sender), moved: moved.clone() });
        moved
    }
}

//! What the host sees of a step while it goes on, and how it ends one early. The log and the counts so far are provisional: if the
//! process dies, the step is redone from its checkpoint.

use crate::log::{LogLine, SharedLines};
use crate::step::Counts;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use tidemill_model::run::ComponentCounts;
use tokio::sync::watch;

/// The host's view of an execution, wherever that goes on.
#[derive(Clone, Default)]
pub struct Gauge {
    lines: SharedLines,
    counts: SharedCounts,
    is_started: Arc<AtomicBool>,
    is_ending: Arc<watch::Sender<bool>>,
}

impl Gauge {
    /// Takes the lines that came since the last call, or since the last step. The step does not hand them over again.
    pub fn take_log(&self) -> Vec<LogLine> {
        self.lines.take()
    }

    /// Totals of the run so far; `None` until every component is open.
    pub fn counts(&self) -> Option<Counts> {
        self.is_started.load(Ordering::Acquire).then(|| self.counts.read())
    }

    /// Asks the step in hand, and those after it, to end after the value in hand, and those whose keys are not saved yet.
    pub fn end_step(&self) {
        self.is_ending.send_replace(true);
    }

    /// Waits until the step in hand is to end early.
    pub async fn ending(&self) {
        // It holds the sender itself, so there is no error.
        let _ = self.is_ending.subscribe().wait_for(|is_ending| *is_ending).await;
    }

    /// Takes over what an execution in another process logged since the last call, and its counts.
    pub fn follow(&self, lines: Vec<LogLine>, counts: Option<Counts>) {
        self.lines.extend(lines);
        if let Some(counts) = counts {
            self.counts.set(counts);
            self.start();
        }
    }

    pub(crate) fn is_ending(&self) -> bool {
        *self.is_ending.borrow()
    }

    /// Every component is open.
    pub(crate) fn start(&self) {
        self.is_started.store(true, Ordering::Release);
    }

    /// What the execution writes.
    pub(crate) fn parts(&self) -> (SharedLines, SharedCounts) {
        (self.lines.clone(), self.counts.clone())
    }
}

/// Counts that the components write and the host reads.
#[derive(Clone, Default)]
pub(crate) struct SharedCounts(Arc<Mutex<Counts>>);

impl SharedCounts {
    pub fn read(&self) -> Counts {
        self.locked().clone()
    }

    pub fn set(&self, counts: Counts) {
        *self.locked() = counts;
    }

    pub fn objects(&self) -> u64 {
        self.locked().objects
    }

    /// Counts an object of the source.
    pub fn add_object(&self) {
        self.locked().objects += 1;
    }

    /// Changes, or reads, what one component counted, by its index in the plan.
    pub fn of<T>(&self, node: usize, change: impl FnOnce(&mut ComponentCounts) -> T) -> T {
        change(&mut self.locked().components[node])
    }

    fn locked(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().expect("no panic happens while it is held")
    }
}

//! What the host sees of a step while it goes on: the log and the counts so far. All of it is provisional: if the process dies, the
//! step is redone from its checkpoint.

use crate::log::{LogLine, SharedLines};
use crate::step::Counts;
use std::sync::{Arc, Mutex, MutexGuard};
use tidemill_model::run::ComponentCounts;

/// The host's view of an execution that it has lent to a step.
#[derive(Clone)]
pub struct Gauge {
    lines: SharedLines,
    counts: SharedCounts,
}

impl Gauge {
    pub(crate) fn new(lines: SharedLines, counts: SharedCounts) -> Gauge {
        Gauge { lines, counts }
    }

    /// Takes the lines that came since the last call, or since the last step. The step does not hand them over again.
    pub fn take_log(&self) -> Vec<LogLine> {
        self.lines.take()
    }

    /// Totals of the run so far.
    pub fn counts(&self) -> Counts {
        self.counts.read()
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

//! What bounds a step, and what a step hands over to the host.

use crate::log::LogLine;
use crate::trace::TraceEvents;
use serde::{Deserialize, Serialize};
use serde_json::Value as Tree;
use std::time::Duration;

/// How much one step may do. It ends when any of these is used up.
#[derive(Clone, Debug)]
pub struct Budget {
    /// Objects to pull from the source, at least 1.
    pub objects: usize,
    /// New keys of `dedupe`, at least 1: they are saved in one transaction with the checkpoint.
    pub new_keys: usize,
    pub time: Duration,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget { objects: 10_000, new_keys: 50, time: Duration::from_secs(2) }
    }
}

/// What a step made, to be saved by the host in one transaction. If the process dies before that, the step is redone
/// from the previous checkpoint.
#[derive(Clone, Debug)]
pub struct Step {
    pub checkpoint: Tree,
    pub new_keys: Vec<NewKey>,
    pub log: Vec<LogLine>,
    pub traced: TraceEvents,
    /// Totals of the run, not of the step.
    pub counts: Counts,
    /// Set by the last step.
    pub done: Option<Outcome>,
}

/// A key that `dedupe` saw for the first time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    pub component: String,
    pub key: String,
    pub expires: Duration,
}

/// What a run counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Objects that the source gave.
    pub objects: u64,
    /// Values that a `filter` or a `dedupe` stopped.
    pub dropped: u64,
    /// Objects that were skipped because they could not be read.
    pub failed: u64,
}

/// The end of a run that succeeded.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What the response components collected: keys and `result_types`; `{}` if there was nothing.
    pub result: Tree,
}

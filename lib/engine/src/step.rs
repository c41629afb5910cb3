//! What bounds a step, and what a step hands over to the host.

use crate::json;
use crate::log::LogLine;
use crate::trace::TraceEvents;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Tree};
use std::time::Duration;
use tidemill_model::run::ComponentCounts;
use tidemill_plan::{Node, Plan};

/// How much one step may do. It ends when any of these is used up.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Budget {
    /// Objects to pull from the source, at least 1.
    pub objects: usize,
    /// New keys of `dedupe` and `changed`, at least 1: they are saved in one transaction with the checkpoint.
    pub new_keys: usize,
    pub time: Duration,
    /// An outside call that took this long ends the step: a worker that dies later does not repeat it.
    pub outside: Duration,
}

impl Default for Budget {
    fn default() -> Budget {
        let outside = Duration::from_millis(100);
        Budget { objects: 10_000, new_keys: 50, time: Duration::from_secs(2), outside }
    }
}

/// What a step made, to be saved by the host in one transaction. If the process dies before that, the step is redone
/// from the previous checkpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
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

/// A key of `dedupe` or `changed`, and what is to be remembered of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewKey {
    pub component: String,
    pub key: String,
    /// Empty for `dedupe`.
    pub value: String,
    pub expires: Duration,
}

/// What a run counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Objects that the source gave.
    pub objects: u64,
    /// In the order of the plan.
    #[serde(default)]
    pub components: Vec<ComponentCounts>,
}

impl Counts {
    /// What a run counted so far, with a place for each node of its plan.
    pub(crate) fn of(plan: &Plan, saved: Counts) -> Counts {
        let mut saved_components = saved.components.into_iter();
        let place = |node: &Node| {
            let found = saved_components.next().filter(|counts| counts.id == node.id);
            found.unwrap_or_else(|| ComponentCounts::of(&node.id))
        };
        Counts { objects: saved.objects, components: plan.nodes.iter().map(place).collect() }
    }

    /// Values that the components lost.
    pub fn dropped(&self) -> u64 {
        self.components.iter().map(ComponentCounts::dropped).sum()
    }
}

/// The end of a run that succeeded.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// What the response components collected, as JSON text: keys and `result_types`; `{}` if there was nothing. Numbers have all of
    /// their digits.
    pub result: String,
}

impl Outcome {
    /// The result's fields for a host that knows only `serde_json`: integers beyond 64 bits are texts of their digits.
    pub fn fields(&self) -> Map<String, Tree> {
        let result = json::reread(&self.result).and_then(|result| json::to_tree(&result).ok());
        match result {
            Some(Tree::Object(fields)) => fields,
            _ => Map::new(),
        }
    }
}

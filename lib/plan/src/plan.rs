//! A compiled pipeline: what the engine runs. It is stored with its version and never changes.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidemill_model::lane::Lane;

/// A checked, ordered and pruned pipeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The nodes, the first of them the source. Every node comes after those that feed it, but for one to which values come
    /// back on another lane.
    pub nodes: Vec<Node>,
    /// The pipeline has another source, which another kind of trigger starts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_other_source: bool,
}

/// One component of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// The component's id in the pipeline.
    pub id: String,
    /// The name of its kind.
    pub provider: String,
    /// The component's config as sent, `${NAME}` unresolved.
    pub config: Value,
    /// Where the values go that this node gives.
    pub outputs: Vec<Edge>,
}

/// A value given on `lane` goes to the node at index `to` of [`Plan::nodes`], where it arrives on the same lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edge {
    /// The lane that the value is given on.
    pub lane: Lane,
    /// An index of [`Plan::nodes`].
    pub to: usize,
}

impl Plan {
    /// The node that a run starts at.
    pub fn source(&self) -> &Node {
        &self.nodes[0]
    }
}

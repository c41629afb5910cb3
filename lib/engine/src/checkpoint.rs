//! Reads back what an execution wrote at the end of a step.

use crate::component::Fault;
use crate::flow::Flow;
use crate::results::Results;
use crate::step::{Counts, NewKey};
use serde::Deserialize;
use serde_json::{Map, Value as Tree};

/// Where a run stands.
pub(crate) struct Checkpoint {
    pub exhausted: bool,
    pub finished: usize,
    pub counts: Counts,
    pub states: Map<String, Tree>,
    pub flow: Flow,
    /// New keys of values in the flow.
    pub keys: Vec<NewKey>,
    pub results: Results,
}

impl Checkpoint {
    pub const FORMAT: u64 = 1;

    /// The start of a run.
    fn empty(nodes: usize) -> Checkpoint {
        Checkpoint {
            exhausted: false,
            finished: 0,
            counts: Counts::default(),
            states: Map::new(),
            flow: Flow::new(nodes),
            keys: Vec::new(),
            results: Results::default(),
        }
    }

    /// Reads a checkpoint back; without one the run is at its start.
    pub fn read(checkpoint: Option<Tree>, nodes: usize) -> Result<Checkpoint, Fault> {
        let Some(mut checkpoint) = checkpoint else { return Ok(Checkpoint::empty(nodes)) };
        let read = || {
            (checkpoint.get("format")?.as_u64()? == Checkpoint::FORMAT).then_some(())?;
            Some(Checkpoint {
                exhausted: checkpoint.get("exhausted")?.as_bool()?,
                finished: checkpoint.get("finished")?.as_u64()? as usize,
                counts: Counts::deserialize(checkpoint.get("counts")?).ok()?,
                states: Map::new(),
                flow: Flow::restore(nodes, checkpoint.get("pending")?)?,
                keys: match checkpoint.get("keys") {
                    Some(keys) => Vec::deserialize(keys).ok()?,
                    None => Vec::new(),
                },
                results: Results::restore(checkpoint.get("results")?)?,
            })
        };
        let unreadable = || Fault::new("the checkpoint is not of this plan or of this version of the engine");
        let saved = read().ok_or_else(unreadable)?;
        match checkpoint.get_mut("states").map(Tree::take) {
            Some(Tree::Object(states)) => Ok(Checkpoint { states, ..saved }),
            _ => Err(unreadable()),
        }
    }
}

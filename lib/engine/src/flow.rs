//! The values that are on their way between components, and which component works next.
//!
//! The deepest component with something to do goes first, so that values leave the plan before others enter it and the
//! number on their way stays bounded.

use crate::component::Fault;
use crate::object::Object;
use crate::value::Value;
use serde_json::{Value as Tree, json};
use std::collections::VecDeque;
use std::sync::Arc;
use tidemill_model::lane::Lane;

/// A value that waits for its component.
#[derive(Clone, Debug)]
pub struct Arrival {
    pub object: Arc<Object>,
    pub lane: Lane,
    pub value: Value,
}

/// One inbox for each node of the plan, in the plan's order.
pub(crate) struct Flow {
    inboxes: Vec<VecDeque<Arrival>>,
}

impl Flow {
    pub fn new(nodes: usize) -> Flow {
        Flow { inboxes: vec![VecDeque::new(); nodes] }
    }

    /// The last node in the plan's order that has something to do.
    pub fn deepest(&self) -> Option<usize> {
        self.inboxes.iter().rposition(|inbox| !inbox.is_empty())
    }

    pub fn deliver(&mut self, out: &mut Vec<(usize, Arrival)>) {
        for (to, arrival) in out.drain(..) {
            self.inboxes[to].push_back(arrival);
        }
    }

    pub fn next(&mut self, node: usize) -> Option<Arrival> {
        self.inboxes[node].pop_front()
    }

    /// Up to `limit` of the values that a node will get next.
    pub fn peek(&mut self, node: usize, limit: usize) -> &[Arrival] {
        let inbox = self.inboxes[node].make_contiguous();
        &inbox[..limit.min(inbox.len())]
    }

    /// For a checkpoint: what is on its way, by node.
    pub fn save(&self) -> Result<Tree, Fault> {
        let mut saved = Vec::new();
        for (node, inbox) in self.inboxes.iter().enumerate() {
            for arrival in inbox {
                saved.push(json!([node, arrival.lane, arrival.object.save(), arrival.value.save()?]));
            }
        }
        Ok(Tree::Array(saved))
    }

    /// `None` if the checkpoint is of another plan.
    pub fn restore(nodes: usize, saved: &Tree) -> Option<Flow> {
        let mut flow = Flow::new(nodes);
        for entry in saved.as_array()? {
            let inbox = flow.inboxes.get_mut(entry.get(0)?.as_u64()? as usize)?;
            let lane = Lane::named(entry.get(1)?.as_str()?)?;
            inbox.push_back(Arrival {
                object: Object::restore(entry.get(2)?)?,
                lane,
                value: Value::restore(entry.get(3)?)?,
            });
        }
        Some(flow)
    }
}

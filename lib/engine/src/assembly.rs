//! Makes the source and the components of a plan.

use crate::bindings;
use crate::component::{Call, Component, Fault, Make, Run, Setup, Source};
use crate::flow::Arrival;
use crate::ledger::Ledger;
use crate::log::Log;
use crate::providers;
use crate::secrets;
use serde_json::{Map, Value as Tree};
use std::collections::BTreeSet;
use std::sync::Arc;
use tidemill_model::lane::Lane;
use tidemill_plan::{Edge, Plan, Provider};

/// A plan's nodes, made.
pub(crate) struct Assembly {
    pub source: Box<dyn Source>,
    /// By the plan's index, less one for the source.
    pub components: Vec<Box<dyn Component>>,
    pub nodes: Vec<Wiring>,
}

/// A node's place in the plan.
pub(crate) struct Wiring {
    /// In the plan's order.
    pub index: usize,
    pub id: String,
    pub declaration: &'static Provider,
    pub outputs: Vec<Edge>,
}

impl Wiring {
    /// What the node's component may use while it is called with a value for which it gives these lanes.
    pub fn call<'a>(
        &'a self,
        gives: &'a [Lane],
        run: &'a Run,
        ledger: &'a mut Ledger,
        out: &'a mut Vec<(usize, Arrival)>,
    ) -> Call<'a> {
        Call { run, id: &self.id, node: self.index, ledger, outputs: &self.outputs, gives, out }
    }
}

impl Assembly {
    /// Makes every node, from its state in the checkpoint where there is one. An error names the node.
    pub fn new(
        plan: &Plan,
        run: &Arc<Run>,
        states: &Map<String, Tree>,
        log: &mut Log,
    ) -> Result<Assembly, (Option<String>, Fault)> {
        let configs = configs(plan, run).map_err(|fault| (None, fault))?;
        let (mut source, mut components, mut nodes) = (None, Vec::new(), Vec::new());
        for (index, (node, mut config)) in plan.nodes.iter().zip(configs).enumerate() {
            let at = |fault| (Some(node.id.clone()), fault);
            let entry = providers::entry(&node.provider).ok_or_else(|| at(unknown(&node.provider)))?;
            providers::fill_in_defaults(&mut config, &entry.declaration);
            let setup = Setup { id: &node.id, config: &config, state: states.get(&node.id), run, log };
            match &entry.make {
                Make::Source(make) if index == 0 => source = Some(make(setup).map_err(at)?),
                Make::Component(make) if index > 0 => components.push(make(setup).map_err(at)?),
                _ => return Err(at(Fault::new("the plan has a source where it must not be, or none"))),
            }
            let (id, outputs) = (node.id.clone(), node.outputs.clone());
            nodes.push(Wiring { index, id, declaration: &entry.declaration, outputs });
        }
        let source = source.ok_or_else(|| (None, Fault::new("the plan is empty")))?;
        Ok(Assembly { source, components, nodes })
    }
}

/// The nodes' configs with the secrets in place, but in programs and templates.
fn configs(plan: &Plan, run: &Run) -> Result<Vec<Tree>, Fault> {
    let mut missing = BTreeSet::new();
    let find = |name: &str| bindings::find(run, name);
    let configs = plan.nodes.iter().map(|node| {
        let schema = providers::entry(&node.provider).map_or(&Tree::Null, |entry| &entry.declaration.config);
        secrets::resolve(&node.config, schema, &find, &mut missing)
    });
    let configs = configs.collect();
    if missing.is_empty() { Ok(configs) } else { Err(missing_secrets(&missing)) }
}

fn unknown(provider: &str) -> Fault {
    Fault::new(format!("provider `{provider}` is unknown"))
        .hint("deploy the pipeline again: the plan is of another version")
}

fn missing_secrets(names: &BTreeSet<String>) -> Fault {
    let list = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let hints: Vec<_> = names.iter().map(|name| format!("`tidemill secrets set {name}`")).collect();
    let what = if names.len() == 1 { "secret" } else { "secrets" };
    let verb = if names.len() == 1 { "is" } else { "are" };
    Fault::new(format!("{what} {list} {verb} not set")).hint(format!("set it with {}", hints.join(", ")))
}

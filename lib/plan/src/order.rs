//! Makes the plan: keeps what the chosen source reaches, in an order in which values flow forward.

use crate::lanes::{Lanes, given, topological};
use crate::plan::{Edge, Node, Plan};
use crate::report::Report;
use crate::source::Source;
use crate::wiring::Wiring;
use tidemill_model::pipeline::Graph;
use tidemill_model::pipeline::problem::ProblemCode;

/// The plan of a graph without problems. `anywhere` is what arrives at each component from all sources together.
pub fn plan(graph: &Graph, wiring: &Wiring, source: &Source, anywhere: &[Lanes], report: &mut Report) -> Plan {
    let sorted = topological(wiring);
    let gives = flow(wiring, &sorted, source.at);
    let reached = reach(wiring, &gives, source.at);
    let mut order = vec![source.at];
    order.extend(sorted.into_iter().filter(|at| reached[*at] && *at != source.at));

    let mut index = vec![None; graph.components.len()];
    order.iter().enumerate().for_each(|(position, at)| index[*at] = Some(position));
    let node = |at: usize| {
        let component = &graph.components[at];
        let live = wiring.outputs[at].iter().filter(|link| gives[at].has(link.lane));
        Node {
            id: component.id.clone(),
            provider: component.provider.clone(),
            config: component.config.clone(),
            outputs: live.filter_map(|link| Some(Edge { lane: link.lane, to: index[link.to]? })).collect(),
        }
    };
    let plan = Plan { nodes: order.iter().map(|at| node(*at)).collect() };
    warn_of_pruned(wiring, source, anywhere, &reached, report);
    plan
}

/// The lanes that each component gives when only `source` starts.
fn flow(wiring: &Wiring, sorted: &[usize], source: usize) -> Vec<Lanes> {
    let mut gives = vec![Lanes::default(); wiring.components.len()];
    for at in sorted.iter().copied().filter(|at| *at == source || !wiring.is_source(*at)) {
        let live = wiring.inputs[at].iter().filter(|link| gives[link.from].has(link.lane));
        let arriving: Lanes = live.map(|link| link.lane).collect();
        gives[at] = wiring.providers[at].map(|provider| given(provider, arriving)).unwrap_or_default();
    }
    gives
}

/// The components that a value arrives at, and those attached to them.
fn reach(wiring: &Wiring, gives: &[Lanes], source: usize) -> Vec<bool> {
    let mut reached = vec![false; wiring.components.len()];
    let mut stack = vec![source];
    while let Some(at) = stack.pop() {
        if std::mem::replace(&mut reached[at], true) {
            continue;
        }
        stack.extend(wiring.outputs[at].iter().filter(|link| gives[at].has(link.lane)).map(|link| link.to));
        stack.extend(&wiring.attached[at]);
    }
    reached
}

/// Warns of what was left out, except of what only another source reaches when this one was named.
fn warn_of_pruned(wiring: &Wiring, source: &Source, anywhere: &[Lanes], reached: &[bool], report: &mut Report) {
    let by_another = reach_from_sources(wiring, anywhere);
    for at in (0..reached.len()).filter(|at| !reached[*at]) {
        if source.named && by_another[at] {
            continue;
        }
        let message =
            format!("component {} cannot be reached from the source {}", wiring.name(at), wiring.name(source.at));
        let hint = "it will not run; connect it, or remove it";
        report.warn(ProblemCode::Unreachable, at, "", message, hint);
    }
}

fn reach_from_sources(wiring: &Wiring, anywhere: &[Lanes]) -> Vec<bool> {
    let mut reached = vec![false; wiring.components.len()];
    let starts = |at: &usize| wiring.is_source(*at) || !anywhere[*at].is_empty();
    let mut stack: Vec<usize> = (0..reached.len()).filter(starts).collect();
    while let Some(at) = stack.pop() {
        if !std::mem::replace(&mut reached[at], true) {
            stack.extend(&wiring.attached[at]);
        }
    }
    reached
}

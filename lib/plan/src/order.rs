//! Makes the plan: keeps what the chosen source reaches, in an order in which values flow forward.

use crate::lanes::{Arrivals, Lanes, flow, given, is_taken};
use crate::plan::{Edge, Node, Plan};
use crate::report::Report;
use crate::source::Source;
use crate::wiring::{Link, Wiring};
use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;
use tidemill_model::pipeline::Graph;
use tidemill_model::pipeline::problem::ProblemCode;

/// What a source brings about by itself.
pub struct Reach<'a> {
    wiring: &'a Wiring<'a>,
    source: usize,
    /// The lanes that each component gives.
    gives: Vec<Lanes>,
    /// The components that a value arrives at, and those attached to them.
    reached: Vec<bool>,
}

impl<'a> Reach<'a> {
    pub fn of(wiring: &'a Wiring<'a>, source: usize) -> Reach<'a> {
        let arriving = flow(wiring, std::iter::once(source));
        let gives = |at: usize| match wiring.providers[at] {
            Some(provider) if at == source || !provider.is_source() => given(provider, arriving[at]),
            _ => Lanes::default(),
        };
        let gives = (0..arriving.len()).map(gives).collect();
        let mut reach = Reach { wiring, source, gives, reached: vec![false; arriving.len()] };
        let mut stack = vec![source];
        while let Some(at) = stack.pop() {
            if !std::mem::replace(&mut reach.reached[at], true) {
                stack.extend(wiring.outputs[at].iter().filter(|link| reach.is_live(link)).map(|link| link.to));
                stack.extend(&wiring.attached[at]);
            }
        }
        reach
    }

    fn is_live(&self, link: &Link) -> bool {
        self.gives[link.from].has(link.lane) && is_taken(self.wiring, link)
    }

    /// Whether a value comes to a component that nothing is connected to behind, where it has its effect.
    pub fn has_an_end(&self) -> bool {
        let is_end = |at: usize| at != self.source && self.wiring.outputs[at].is_empty();
        let mut ends = (0..self.reached.len()).filter(|at| self.reached[*at] && is_end(*at));
        ends.any(|at| self.wiring.inputs[at].iter().any(|link| self.is_live(link)))
    }
}

/// The plan of a graph without problems.
pub fn plan(graph: &Graph, reach: &Reach, source: &Source, arrivals: &Arrivals, report: &mut Report) -> Plan {
    let wiring = reach.wiring;
    let mut order = vec![source.at];
    order.extend(sorted(reach).into_iter().filter(|at| reach.reached[*at] && *at != source.at));

    let mut index = vec![None; graph.components.len()];
    order.iter().enumerate().for_each(|(position, at)| index[*at] = Some(position));
    let node = |at: usize| {
        let component = &graph.components[at];
        let live = wiring.outputs[at].iter().filter(|link| reach.is_live(link));
        Node {
            id: component.id.clone(),
            provider: component.provider.clone(),
            config: component.config.clone(),
            outputs: live.filter_map(|link| Some(Edge { lane: link.lane, to: index[link.to]? })).collect(),
        }
    };
    let nodes = order.iter().map(|at| node(*at)).collect();
    let plan = Plan { nodes, has_other_source: source.by_trigger };
    warn_of_pruned(wiring, source, arrivals, &reach.reached, report);
    plan
}

/// The components so ordered that each comes after those that feed it. Where values come back to a component on another
/// lane there is no such order among those on the way round: of them, what is nearest to the source comes first.
fn sorted(reach: &Reach) -> Vec<usize> {
    let live = |at: usize| reach.wiring.outputs[at].iter().filter(|link| reach.is_live(link)).map(|link| link.to);
    let mut waiting = vec![0; reach.reached.len()];
    (0..waiting.len()).flat_map(live).for_each(|to| waiting[to] += 1);
    let mut order: Vec<usize> = (0..waiting.len()).filter(|at| waiting[*at] == 0).collect();
    let mut is_ordered: Vec<bool> = waiting.iter().map(|waiting| *waiting == 0).collect();
    let nearest = nearest_first(reach.source, waiting.len(), live);
    let round = rounds(waiting.len(), live);
    let mut next = 0;
    loop {
        let Some(at) = order.get(next).copied() else {
            // Only what comes round is left, and what that feeds. The last of equal ones is the nearest.
            let left = nearest.iter().rev().filter(|at| !is_ordered[**at]);
            let Some(at) = left.copied().max_by_key(|at| round[*at]) else { return order };
            is_ordered[at] = true;
            order.push(at);
            continue;
        };
        next += 1;
        for to in live(at) {
            waiting[to] -= 1;
            if waiting[to] == 0 && !std::mem::replace(&mut is_ordered[to], true) {
                order.push(to);
            }
        }
    }
}

/// A number for each component, which those share that values go round through. What feeds others has a greater one than they.
fn rounds<I: Iterator<Item = usize>>(count: usize, live: impl Fn(usize) -> I) -> Vec<usize> {
    let edges = (0..count).flat_map(|from| live(from).map(move |to| (from, to)));
    let graph = DiGraph::<(), (), usize>::from_edges(edges);
    let mut rounds = vec![0; count];
    // Those that are fed come first.
    for (number, round) in tarjan_scc(&graph).iter().enumerate() {
        round.iter().for_each(|at| rounds[at.index()] = number);
    }
    rounds
}

/// What values reach, by the distance from the source.
fn nearest_first<I: Iterator<Item = usize>>(source: usize, count: usize, live: impl Fn(usize) -> I) -> Vec<usize> {
    let mut seen = vec![false; count];
    let mut found = vec![source];
    seen[source] = true;
    let mut next = 0;
    while let Some(at) = found.get(next).copied() {
        next += 1;
        found.extend(live(at).filter(|to| !std::mem::replace(&mut seen[*to], true)));
    }
    found
}

/// Warns of what was left out, except of what only another source reaches when this one was named, and of what stands at
/// a dead edge, which has its own warning.
fn warn_of_pruned(wiring: &Wiring, source: &Source, arrivals: &Arrivals, reached: &[bool], report: &mut Report) {
    let by_another = reach_from_sources(wiring, &arrivals.anywhere);
    for at in (0..reached.len()).filter(|at| !reached[*at]) {
        if source.named && by_another[at] || arrivals.dead.iter().any(|edge| edge.at == at) {
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

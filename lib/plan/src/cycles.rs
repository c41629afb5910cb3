//! Finds cycles along lanes, and names each with one way around. A way back to a component on a lane for which it gives
//! nothing more of what went around is none. No recursion: the depth is the user's.

use crate::lanes::{Arrival, Lanes, given_for, is_taken};
use crate::report::Report;
use crate::wiring::{Link, Wiring};
use std::collections::{HashMap, VecDeque};
use tidemill_model::pipeline::problem::ProblemCode;

/// Reports every cycle at its first component; says whether there was one.
pub fn check(wiring: &Wiring, report: &mut Report) -> bool {
    let steps = Steps::of(wiring);
    let groups = steps.groups();
    let mut reported = vec![false; groups.len()];
    let mut found = false;
    for start in 0..groups.len() {
        if reported[groups[start]] {
            continue;
        }
        let Some(way) = steps.shortest_way_around(&groups, start) else { continue };
        reported[groups[start]] = true;
        found = true;
        let message = format!("components form a cycle: {}", text(wiring, &way));
        let hint = "remove one of these inputs: values flow one way";
        report.component(ProblemCode::Cycle, way[0].from, "/input", message, hint);
    }
    found
}

/// `a -[text]-> b -[text]-> a`, with the middle of a long one left out.
fn text(wiring: &Wiring, way: &[Link]) -> String {
    const SHOWN: usize = 10;
    let plain = |at: usize| wiring.name(at).trim_matches('`').to_owned();
    let mut text = plain(way[0].from);
    for (step, link) in way.iter().enumerate() {
        if way.len() > SHOWN && step == SHOWN / 2 {
            text += &format!(" … ({} more) …", way.len() - SHOWN);
        }
        if way.len() <= SHOWN || step < SHOWN / 2 || step >= way.len() - SHOWN / 2 {
            text += &format!(" -[{}]-> {}", link.lane, plain(link.to));
        }
    }
    format!("`{text}`")
}

/// How values go on: a node for each lane that arrives at a component, in the order of the components.
struct Steps {
    nodes: Vec<Arrival>,
    next: Vec<Vec<(usize, Link)>>,
}

impl Steps {
    fn of(wiring: &Wiring) -> Steps {
        let (mut nodes, mut known) = (Vec::new(), HashMap::new());
        for link in wiring.inputs.iter().flatten().filter(|link| is_taken(wiring, link)) {
            known.entry((link.to, link.lane)).or_insert_with(|| {
                nodes.push((link.to, link.lane));
                nodes.len() - 1
            });
        }
        let next = |(at, lane): &Arrival| {
            // What nothing is known of is no part of a cycle that is certain.
            let gives = wiring.providers[*at].map_or(Lanes::default(), |_| given_for(wiring, *at, *lane));
            let live = wiring.outputs[*at].iter().filter(move |link| gives.has(link.lane));
            live.filter_map(|link| Some((*known.get(&(link.to, link.lane))?, *link))).collect()
        };
        let next = nodes.iter().map(next).collect();
        Steps { nodes, next }
    }

    /// The shortest way from a node back to itself within its group.
    fn shortest_way_around(&self, groups: &[usize], start: usize) -> Option<Vec<Link>> {
        let inside = |(to, _): &&(usize, Link)| groups[*to] == groups[start];
        if !self.next[start].iter().any(|step| inside(&step)) {
            return None;
        }
        let mut arrived: Vec<Option<(usize, Link)>> = vec![None; self.nodes.len()];
        let mut queue = VecDeque::from([start]);
        while let Some(at) = queue.pop_front() {
            for (to, link) in self.next[at].iter().filter(inside) {
                if arrived[*to].is_none() {
                    arrived[*to] = Some((at, *link));
                    queue.push_back(*to);
                }
            }
        }
        let (mut at, mut way) = (start, Vec::new());
        loop {
            let (from, link) = arrived[at]?;
            way.push(link);
            at = from;
            if at == start {
                break;
            }
        }
        way.reverse();
        Some(way)
    }

    /// A number for each node, the same for those that can reach each other: Tarjan's strongly connected components,
    /// with the stack of calls written out.
    fn groups(&self) -> Vec<usize> {
        const UNSEEN: usize = usize::MAX;
        let count = self.nodes.len();
        let (mut seen, mut low, mut group) = (vec![UNSEEN; count], vec![0; count], vec![UNSEEN; count]);
        let (mut open, mut calls, mut clock) = (Vec::new(), Vec::new(), 0);
        for root in 0..count {
            if seen[root] == UNSEEN {
                calls.push((root, 0));
            }
            while let Some((at, next)) = calls.pop() {
                if next == 0 {
                    (seen[at], low[at]) = (clock, clock);
                    clock += 1;
                    open.push(at);
                }
                if let Some((to, _)) = self.next[at].get(next) {
                    calls.push((at, next + 1));
                    match seen[*to] {
                        UNSEEN => calls.push((*to, 0)),
                        time if group[*to] == UNSEEN => low[at] = low[at].min(time),
                        _ => {}
                    }
                    continue;
                }
                if low[at] == seen[at] {
                    while let Some(member) = open.pop() {
                        group[member] = at;
                        if member == at {
                            break;
                        }
                    }
                }
                if let Some((caller, _)) = calls.last() {
                    low[*caller] = low[*caller].min(low[at]);
                }
            }
        }
        group
    }
}

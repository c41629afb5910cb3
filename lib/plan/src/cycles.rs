//! Finds cycles along lanes, and names each with one way around. No recursion: the depth is the user's.

use crate::report::Report;
use crate::wiring::{Link, Wiring};
use std::collections::VecDeque;
use tidemill_model::pipeline::problem::ProblemCode;

/// Reports every cycle at its first component; says whether there was one.
pub fn check(wiring: &Wiring, report: &mut Report) -> bool {
    let groups = groups(wiring);
    let mut reported = vec![false; wiring.components.len()];
    let mut found = false;
    for at in 0..wiring.components.len() {
        if reported[groups[at]] {
            continue;
        }
        let Some(way) = shortest_way_around(wiring, &groups, at) else { continue };
        reported[groups[at]] = true;
        found = true;
        let message = format!("components form a cycle: {}", text(wiring, &way));
        report.component(ProblemCode::Cycle, at, "/input", message, "remove one of these inputs: values flow one way");
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

/// The shortest way from a component back to itself within its group.
fn shortest_way_around(wiring: &Wiring, groups: &[usize], start: usize) -> Option<Vec<Link>> {
    let inside = |link: &&Link| groups[link.to] == groups[start];
    if !wiring.outputs[start].iter().any(|link| inside(&link)) {
        return None;
    }
    let mut arrived: Vec<Option<Link>> = vec![None; wiring.components.len()];
    let mut queue = VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        for link in wiring.outputs[at].iter().filter(inside) {
            if arrived[link.to].is_none() {
                arrived[link.to] = Some(*link);
                queue.push_back(link.to);
            }
        }
    }
    let mut way = vec![arrived[start]?];
    while way[way.len() - 1].from != start {
        way.push(arrived[way[way.len() - 1].from]?);
    }
    way.reverse();
    Some(way)
}

/// A number for each component, the same for those that can reach each other: Tarjan's strongly connected
/// components, with the stack of calls written out.
fn groups(wiring: &Wiring) -> Vec<usize> {
    const UNSEEN: usize = usize::MAX;
    let count = wiring.components.len();
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
            if let Some(link) = wiring.outputs[at].get(next) {
                calls.push((at, next + 1));
                match seen[link.to] {
                    UNSEEN => calls.push((link.to, 0)),
                    time if group[link.to] == UNSEEN => low[at] = low[at].min(time),
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

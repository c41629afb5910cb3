//! Which lanes can arrive at each component: forward from the sources, through what each provider gives for what it gets.

use crate::report::{Report, list};
use crate::wiring::{Link, Wiring, lanes_taken};
use crate::{Class, Provider};
use tidemill_model::lane::Lane;
use tidemill_model::pipeline::problem::ProblemCode;

/// A set of lanes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lanes(u16);

impl Lanes {
    /// What a component of an unknown provider might give.
    const ANY: Lanes = Lanes(u16::MAX);

    pub fn has(self, lane: Lane) -> bool {
        self.0 & 1 << lane as u16 != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn insert(&mut self, lane: Lane) {
        self.0 |= 1 << lane as u16;
    }

    fn iter(self) -> impl Iterator<Item = Lane> {
        Lane::ALL.into_iter().filter(move |lane| self.has(*lane))
    }
}

impl FromIterator<Lane> for Lanes {
    fn from_iter<I: IntoIterator<Item = Lane>>(lanes: I) -> Lanes {
        let mut set = Lanes::default();
        lanes.into_iter().for_each(|lane| set.insert(lane));
        set
    }
}

/// The lanes that a provider gives for those that arrive; a source gives its own.
pub fn given(provider: &Provider, arriving: Lanes) -> Lanes {
    if provider.is_source() {
        return provider.gives.iter().copied().collect();
    }
    arriving.iter().filter_map(|lane| provider.outputs_of(lane)).flatten().copied().collect()
}

/// The positions so ordered that each comes after those that feed it; components in or after a cycle are left out.
pub fn topological(wiring: &Wiring) -> Vec<usize> {
    let mut waiting: Vec<usize> = wiring.inputs.iter().map(Vec::len).collect();
    let mut order: Vec<usize> = (0..waiting.len()).filter(|at| waiting[*at] == 0).collect();
    let mut next = 0;
    while let Some(at) = order.get(next).copied() {
        next += 1;
        for link in &wiring.outputs[at] {
            waiting[link.to] -= 1;
            if waiting[link.to] == 0 {
                order.push(link.to);
            }
        }
    }
    order
}

/// Checks every edge from all sources together, because a pipeline may be deployed from any of them. Returns what
/// can arrive at each component.
///
/// An edge that is at fault counts as one that works, so that one fault is reported once and not again at everything
/// that follows.
pub fn check(wiring: &Wiring, report: &mut Report) -> Vec<Lanes> {
    let order = topological(wiring);
    let mut resolved = vec![false; wiring.components.len()];
    order.iter().for_each(|at| resolved[*at] = true);
    let mut arriving = vec![Lanes::default(); wiring.components.len()];
    for at in order {
        for link in &wiring.inputs[at] {
            let arrives = check_given(wiring, link, arriving[link.from], report);
            let taken = check_taken(wiring, link, report);
            if arrives && taken {
                arriving[at].insert(link.lane);
            }
        }
    }
    // Around a cycle nothing can be said of what arrives, but a lane that no input could bring about is still wrong.
    for at in (0..resolved.len()).filter(|at| !resolved[*at]) {
        for link in &wiring.inputs[at] {
            check_given(wiring, link, Lanes::ANY, report);
            check_taken(wiring, link, report);
        }
    }
    arriving
}

/// Whether anything arrives over the edge, or would if it were not at fault.
fn check_given(wiring: &Wiring, link: &Link, arriving: Lanes, report: &mut Report) -> bool {
    let Some(provider) = wiring.providers[link.from] else { return true };
    let gives = given(provider, arriving);
    if gives.has(link.lane) {
        return true;
    }
    let starved = arriving.is_empty() && !provider.is_source();
    if starved && provider.can_give(link.lane) {
        return false;
    }
    let (to, from) = (wiring.name(link.to), wiring.name(link.from));
    let message = format!("component {to} expects `{}` from {from}, which does not give it", link.lane);
    let hint = hint_of_given(wiring, link, provider, if starved { Lanes::ANY } else { arriving });
    report.component(ProblemCode::LaneNotGiven, link.to, &format!("/input/{}/lane", link.input), message, hint);
    !starved
}

fn hint_of_given(wiring: &Wiring, link: &Link, provider: &Provider, arriving: Lanes) -> String {
    let name = wiring.provider_name(link.from);
    let needed = provider.lanes.iter().filter(|(_, gives)| gives.contains(&link.lane)).map(|(lane, _)| lane.as_str());
    let gives = given(provider, arriving);
    match (provider.can_give(link.lane), gives.is_empty()) {
        (true, _) => format!("{name} gives it only for {}; connect that to {}", list(needed), wiring.name(link.from)),
        (false, true) if provider.class == Class::Sink => format!("{name} is a sink and gives nothing"),
        (false, true) => format!("{name} gives nothing for what arrives at it"),
        (false, false) => format!("{name} gives {}", list(gives.iter().map(Lane::as_str))),
    }
}

fn check_taken(wiring: &Wiring, link: &Link, report: &mut Report) -> bool {
    let Some(provider) = wiring.providers[link.to] else { return true };
    if provider.outputs_of(link.lane).is_some() {
        return true;
    }
    let message = format!(
        "component {} has an input on `{}`, which {} does not take",
        wiring.name(link.to),
        link.lane,
        wiring.provider_name(link.to)
    );
    let hint = format!("it takes {}", lanes_taken(provider));
    report.component(ProblemCode::LaneNotTaken, link.to, &format!("/input/{}/lane", link.input), message, hint);
    false
}

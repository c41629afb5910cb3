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
    pub const ANY: Lanes = Lanes(u16::MAX);

    pub fn has(self, lane: Lane) -> bool {
        self.0 & 1 << lane as u16 != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn insert(&mut self, lane: Lane) {
        self.0 |= 1 << lane as u16;
    }

    pub fn iter(self) -> impl Iterator<Item = Lane> {
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

/// A lane at a component that values of one source reach.
pub type Arrival = (usize, Lane);

/// Which lanes arrive at each component when the sources at these positions start. Values that come back to where they
/// were on another lane are followed, too.
pub fn flow(wiring: &Wiring, sources: impl Iterator<Item = usize>) -> Vec<Lanes> {
    let mut arriving = vec![Lanes::default(); wiring.components.len()];
    let mut stack: Vec<Arrival> = Vec::new();
    let mut send = |from: usize, gives: Lanes, stack: &mut Vec<Arrival>| {
        for link in wiring.outputs[from].iter().filter(|link| gives.has(link.lane) && is_taken(wiring, link)) {
            if !arriving[link.to].has(link.lane) {
                arriving[link.to].insert(link.lane);
                stack.push((link.to, link.lane));
            }
        }
    };
    for at in sources {
        send(at, wiring.providers[at].map_or(Lanes::ANY, |provider| given(provider, Lanes::default())), &mut stack);
        while let Some((at, lane)) = stack.pop() {
            send(at, given_for(wiring, at, lane), &mut stack);
        }
    }
    arriving
}

/// The lanes that a component gives for a value on one lane. One of an unknown provider might give any.
pub fn given_for(wiring: &Wiring, at: usize, lane: Lane) -> Lanes {
    let Some(provider) = wiring.providers[at] else { return Lanes::ANY };
    provider.outputs_of(lane).into_iter().flatten().copied().collect()
}

/// Whether the receiver takes the lane of an edge.
pub fn is_taken(wiring: &Wiring, link: &Link) -> bool {
    wiring.providers[link.to].is_none_or(|provider| provider.outputs_of(link.lane).is_some())
}

/// An edge over which nothing comes, because one of its ends does not know the lane.
pub struct DeadEdge {
    pub at: usize,
    code: ProblemCode,
    path: String,
    message: String,
    hint: String,
}

impl DeadEdge {
    pub fn report(self, report: &mut Report) {
        report.component(self.code, self.at, &self.path, self.message, self.hint);
    }

    pub fn warn(self, report: &mut Report) {
        let hint = format!("nothing comes over it: remove it, or correct it; {}", self.hint);
        report.warn(self.code, self.at, &self.path, self.message, hint);
    }
}

/// What all sources together bring about, because a pipeline may be deployed from any of them.
pub struct Arrivals {
    /// The lanes that can arrive at each component. An edge that is dead counts as one that works, so that one mistake
    /// is reported once and not again at everything that follows.
    pub anywhere: Vec<Lanes>,
    pub dead: Vec<DeadEdge>,
}

/// Looks at every edge.
pub fn arrivals(wiring: &Wiring) -> Arrivals {
    let mut anywhere = vec![Lanes::default(); wiring.components.len()];
    let starts = |at: &usize| wiring.providers[*at].is_none_or(Provider::is_source);
    let mut stack: Vec<usize> = (0..anywhere.len()).filter(starts).collect();
    while let Some(from) = stack.pop() {
        for link in wiring.outputs[from].iter().filter(|link| is_taken(wiring, link)) {
            if anywhere[link.to].is_empty() && !starts(&link.to) {
                stack.push(link.to);
            }
            anywhere[link.to].insert(link.lane);
        }
    }
    let edges = || wiring.inputs.iter().flatten();
    let of = |link: &Link| [not_given(wiring, link, anywhere[link.from]), not_taken(wiring, link)];
    let dead = edges().flat_map(of).flatten().collect();
    Arrivals { anywhere, dead }
}

/// The edge, if its sender gives another lane.
fn not_given(wiring: &Wiring, link: &Link, arriving: Lanes) -> Option<DeadEdge> {
    let provider = wiring.providers[link.from]?;
    let starved = arriving.is_empty() && !provider.is_source();
    if given(provider, arriving).has(link.lane) || starved && provider.can_give(link.lane) {
        return None;
    }
    let (to, from) = (wiring.name(link.to), wiring.name(link.from));
    Some(DeadEdge {
        at: link.to,
        code: ProblemCode::LaneNotGiven,
        path: format!("/input/{}/lane", link.input),
        message: format!("component {to} expects `{}` from {from}, which does not give it", link.lane),
        hint: hint_of_given(wiring, link, provider, if starved { Lanes::ANY } else { arriving }),
    })
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

/// The edge, if its receiver does not take the lane.
fn not_taken(wiring: &Wiring, link: &Link) -> Option<DeadEdge> {
    let provider = wiring.providers[link.to].filter(|_| !is_taken(wiring, link))?;
    let (to, name) = (wiring.name(link.to), wiring.provider_name(link.to));
    Some(DeadEdge {
        at: link.to,
        code: ProblemCode::LaneNotTaken,
        path: format!("/input/{}/lane", link.input),
        message: format!("component {to} has an input on `{}`, which {name} does not take", link.lane),
        hint: format!("it takes {}", lanes_taken(provider)),
    })
}

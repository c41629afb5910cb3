//! Resolves the names in a pipeline: ids to components, providers to declarations, inputs to edges.

use crate::report::{Report, list};
use crate::{Catalogue, Provider, Target};
use std::collections::{HashMap, HashSet};
use tidemill_model::lane::Lane;
use tidemill_model::pipeline::problem::{ProblemCode, quoted};
use tidemill_model::pipeline::{Component, Graph};

/// The components of a pipeline by position, with their edges in the pipeline's order.
pub struct Wiring<'a> {
    pub components: &'a [Component],
    /// `None` where the provider is unknown.
    pub providers: Vec<Option<&'a Provider>>,
    pub by_id: HashMap<&'a str, usize>,
    /// Edges into each component.
    pub inputs: Vec<Vec<Link>>,
    /// Edges out of each component.
    pub outputs: Vec<Vec<Link>>,
    /// The components attached to each component.
    pub attached: Vec<Vec<usize>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Link {
    pub from: usize,
    pub lane: Lane,
    pub to: usize,
    /// The position in the receiver's `input`.
    pub input: usize,
}

impl Wiring<'_> {
    pub fn is_source(&self, at: usize) -> bool {
        self.providers[at].is_some_and(Provider::is_source)
    }

    /// The component's id as messages show it.
    pub fn name(&self, at: usize) -> String {
        match self.components[at].id.as_str() {
            "" => (at + 1).to_string(),
            id => quoted(id),
        }
    }

    pub fn provider_name(&self, at: usize) -> String {
        quoted(&self.components[at].provider)
    }
}

pub fn connect<'a>(graph: &'a Graph, catalogue: &'a Catalogue, target: &Target, report: &mut Report) -> Wiring<'a> {
    let components = graph.components.as_slice();
    let mut wiring = Wiring {
        components,
        providers: components.iter().map(|component| catalogue.get(&component.provider)).collect(),
        by_id: HashMap::with_capacity(components.len()),
        inputs: vec![Vec::new(); components.len()],
        outputs: vec![Vec::new(); components.len()],
        attached: vec![Vec::new(); components.len()],
    };
    for (at, component) in components.iter().enumerate() {
        register(&mut wiring, at, component, report);
        check_provider(&wiring, at, catalogue, target, report);
    }
    for at in 0..components.len() {
        connect_inputs(&mut wiring, at, report);
        connect_controls(&mut wiring, at, report);
    }
    wiring
}

fn register<'a>(wiring: &mut Wiring<'a>, at: usize, component: &'a Component, report: &mut Report) {
    if component.id.is_empty() {
        return;
    }
    if let Some(first) = wiring.by_id.get(component.id.as_str()) {
        let message = format!("component {} has the id of component {}", at + 1, first + 1);
        let hint = format!("give one of them another id than {}", quoted(&component.id));
        return report.component(ProblemCode::DuplicateId, at, "/id", message, hint);
    }
    wiring.by_id.insert(&component.id, at);
}

fn check_provider(wiring: &Wiring, at: usize, catalogue: &Catalogue, target: &Target, report: &mut Report) {
    let (name, provider) = (wiring.name(at), wiring.provider_name(at));
    match wiring.providers[at] {
        Some(known) if known.local_only && !target.local => {
            let message = format!("component {name} has the provider {provider}, which works only in the local plane");
            let hint = "run it with `tidemill dev`, or use a provider that needs no local files";
            report.component(ProblemCode::LocalOnlyProvider, at, "/provider", message, hint);
        }
        None if !wiring.components[at].provider.is_empty() => {
            let known = catalogue.iter().map(|provider| provider.name);
            let wanted = &wiring.components[at].provider;
            let hint = report.did_you_mean(wanted, known.clone(), || format!("known providers are {}", list(known)));
            let message = format!("component {name} has the unknown provider {provider}");
            report.component(ProblemCode::UnknownProvider, at, "/provider", message, hint);
        }
        _ => {}
    }
}

fn connect_inputs(wiring: &mut Wiring, at: usize, report: &mut Report) {
    let component = &wiring.components[at];
    let name = wiring.name(at);
    if wiring.is_source(at) {
        if !component.input.is_empty() {
            let message = format!("component {name} is a source and has an input");
            let hint = "remove its `input`: a source makes its values itself";
            report.component(ProblemCode::InputIntoSource, at, "/input", message, hint);
        }
        return;
    }
    if component.input.is_empty()
        && component.control.is_empty()
        && wiring.providers[at].is_some()
        && !report.is_malformed(at)
    {
        let message = format!("component {name} has no input");
        let takes = wiring.providers[at].map_or(String::new(), lanes_taken);
        let hint = format!("connect it, or remove it; {} takes {takes}", wiring.provider_name(at));
        report.component(ProblemCode::MissingInput, at, "/input", message, hint);
    }
    let mut seen = HashSet::new();
    for (input, wanted) in component.input.iter().enumerate() {
        let from = resolve(wiring, at, &format!("/input/{input}/from"), &wanted.from, report);
        let lane = lane(&name, at, input, &wanted.lane, report);
        let (Some(from), Some(lane)) = (from, lane) else { continue };
        if !seen.insert((from, lane)) {
            let message = format!("component {name} has the input `{lane}` from {} twice", wiring.name(from));
            let hint = "remove one; the value arrives once";
            report.warn(ProblemCode::RepeatedInput, at, &format!("/input/{input}"), message, hint);
            continue;
        }
        let link = Link { from, lane, to: at, input };
        wiring.inputs[at].push(link);
        wiring.outputs[from].push(link);
    }
}

fn connect_controls(wiring: &mut Wiring, at: usize, report: &mut Report) {
    for (position, control) in wiring.components[at].control.iter().enumerate() {
        let path = format!("/control/{position}/from");
        if let Some(user) = resolve(wiring, at, &path, &control.from, report) {
            wiring.attached[user].push(at);
        }
    }
}

fn resolve(wiring: &Wiring, at: usize, path: &str, id: &str, report: &mut Report) -> Option<usize> {
    let found = wiring.by_id.get(id).copied();
    if found.is_none() {
        let ids = wiring.components.iter().map(|component| component.id.as_str()).filter(|id| !id.is_empty());
        let hint = report.did_you_mean(id, ids.clone(), || format!("known components are {}", list(ids)));
        let message = format!("component {} refers to the unknown component {}", wiring.name(at), quoted(id));
        report.component(ProblemCode::UnknownFrom, at, path, message, hint);
    }
    found
}

fn lane(name: &str, at: usize, input: usize, wanted: &str, report: &mut Report) -> Option<Lane> {
    let found = Lane::named(wanted);
    if found.is_none() {
        let known = Lane::ALL.iter().map(|lane| lane.as_str());
        let hint = report.did_you_mean(wanted, known, || {
            format!("lanes are {}", Lane::ALL.map(|lane| format!("`{lane}`")).join(", "))
        });
        let message = format!("component {name} has an input on the unknown lane {}", quoted(wanted));
        report.component(ProblemCode::UnknownLane, at, &format!("/input/{input}/lane"), message, hint);
    }
    found
}

/// The lanes that a provider takes, for a hint.
pub fn lanes_taken(provider: &Provider) -> String {
    list(provider.lanes.iter().map(|(lane, _)| lane.as_str()))
}

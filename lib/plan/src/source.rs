//! Chooses the component that a run starts at.

use crate::report::{Report, list};
use crate::wiring::Wiring;
use crate::{Class, Start, Target};
use serde_json::Value;
use tidemill_model::pipeline::Graph;
use tidemill_model::pipeline::problem::{ProblemCode, quoted};

/// The chosen source.
pub struct Source {
    pub at: usize,
    /// It was named, so that other sources are known to stay out.
    pub named: bool,
    /// What starts the runs chose it, and another trigger would choose another.
    pub by_trigger: bool,
}

/// The argument, else the pipeline's `source`, else the only component whose config says `mode: Source`, else the only
/// one whose provider is a source, else the one of several that what starts the runs can start.
pub fn choose(graph: &Graph, wiring: &Wiring, target: &Target, report: &mut Report) -> Option<Source> {
    if let Some(id) = target.source.or(graph.source.as_deref()) {
        return named(id, wiring, report);
    }
    let sources: Vec<usize> = (0..wiring.components.len()).filter(|at| wiring.is_source(*at)).collect();
    let marked: Vec<usize> = sources.iter().copied().filter(|at| is_marked(wiring, *at)).collect();
    match (marked.as_slice(), sources.as_slice()) {
        ([at], _) | ([], [at]) => Some(Source { at: *at, named: false, by_trigger: false }),
        ([], []) => missing(wiring, report),
        ([], several) | (several, _) => {
            let by_kind = of_its_kind(wiring, several, target.start);
            if by_kind.is_none() {
                ambiguous(wiring, several, report);
            }
            by_kind.map(|at| Source { at, named: true, by_trigger: true })
        }
    }
}

/// Of one source that makes its own objects and one that waits for them, each has triggers of its own: a schedule starts
/// the one, a hook or a call the other.
fn of_its_kind(wiring: &Wiring, sources: &[usize], start: Start) -> Option<usize> {
    let only = |class: Class| {
        let mut of_class = sources.iter().filter(|at| wiring.providers[**at].is_some_and(|known| known.class == class));
        of_class.next().copied().filter(|_| of_class.next().is_none())
    };
    let (making, waiting) = (only(Class::Source)?, only(Class::WaitingSource)?);
    Some(if start == Start::Schedule { making } else { waiting })
}

/// Says which sources one trigger would start, and what to write.
fn ambiguous(wiring: &Wiring, several: &[usize], report: &mut Report) {
    let ids = |class: Class| {
        let of_class =
            several.iter().filter(move |at| wiring.providers[**at].is_some_and(|known| known.class == class));
        of_class.map(|at| wiring.components[*at].id.as_str())
    };
    let started = |class: Class, by: &str| {
        let count = ids(class).count();
        (count > 1).then(|| format!("{by} would start {}", list(ids(class))))
    };
    let doubled = [started(Class::Source, "a schedule"), started(Class::WaitingSource, "a call")];
    let doubled: Vec<String> = doubled.into_iter().flatten().collect();
    let count = several.len();
    let message = format!("pipeline has {count} sources and does not say where to start: {}", doubled.join(", and "));
    let first = quoted(&wiring.components[several[0]].id);
    let first = first.trim_matches('`');
    let hint = format!(
        "write `\"source\": \"{first}\"` into the pipeline, or deploy it with `--source {first}`; or put the others into \
         pipelines of their own"
    );
    report.pipeline(ProblemCode::AmbiguousSource, "/source", message, hint);
}

fn is_marked(wiring: &Wiring, at: usize) -> bool {
    wiring.components[at].config.get("mode").and_then(Value::as_str) == Some("Source")
}

fn named(id: &str, wiring: &Wiring, report: &mut Report) -> Option<Source> {
    let sources =
        || (0..wiring.components.len()).filter(|at| wiring.is_source(*at)).map(|at| wiring.components[at].id.as_str());
    let instead = || match sources().next() {
        Some(_) => format!("sources are {}", list(sources())),
        None => "add a source, e.g. a component with the provider `webhook`".to_owned(),
    };
    let Some(at) = wiring.by_id.get(id).copied() else {
        let ids = wiring.components.iter().map(|component| component.id.as_str());
        let hint = report.did_you_mean(id, ids, instead);
        let message = format!("source {} is not a component of the pipeline", quoted(id));
        report.pipeline(ProblemCode::UnknownSource, "/source", message, hint);
        return None;
    };
    if wiring.providers[at].is_some() && !wiring.is_source(at) {
        let message =
            format!("source {} has the provider {}, which is not a source", quoted(id), wiring.provider_name(at));
        report.pipeline(ProblemCode::NotASource, "/source", message, instead());
        return None;
    }
    Some(Source { at, named: true, by_trigger: false })
}

/// Silent if a component's provider could not be resolved, because that may be the source.
fn missing(wiring: &Wiring, report: &mut Report) -> Option<Source> {
    if wiring.providers.iter().all(Option::is_some) {
        let hint = "add one, e.g. a component with the provider `webhook`";
        report.pipeline(ProblemCode::MissingSource, "/source", "pipeline has no source".into(), hint);
    }
    None
}

/// The provider that only says when a run is due.
const TIMER: &str = "timer";

/// A schedule starts a run, but gives it no object; and a timer without one never goes off.
pub fn warn_of_start(wiring: &Wiring, at: usize, target: &Target, report: &mut Report) {
    let Some(provider) = wiring.providers[at] else { return };
    let name = wiring.name(at);
    if provider.class == Class::WaitingSource && target.start == Start::Schedule {
        let message = format!("source {name} waits for a caller, but a schedule starts this pipeline");
        let hint = "use a source that makes its own objects, or leave the schedule out";
        report.warn(ProblemCode::WaitingSourceOnSchedule, at, "/provider", message, hint);
    }
    if provider.name == TIMER && target.start == Start::Call {
        let message = format!("source {name} is a timer, but no schedule starts this pipeline");
        let hint = "deploy it with a schedule, e.g. `0 7 * * *`; without one it runs by hand alone";
        report.warn(ProblemCode::TimerWithoutSchedule, at, "/provider", message, hint);
    }
}

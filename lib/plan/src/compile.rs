//! The compiler: runs the steps, and reports every problem of every step at once.

use crate::order::Reach;
use crate::report::Report;
use crate::{Catalogue, Plan, advice, config, cycles, lanes, order, source, texts, uniqueness, wiring};
use std::path::{Path, PathBuf};
use tidemill_model::pipeline::{Broken, Found, Graph, Pipeline, Problem};

/// Where and how a pipeline is going to run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Target<'a> {
    /// The local plane, where providers that touch the operator's files are allowed.
    pub local: bool,
    /// The folders of that plane that files may be read from; `None` where they are not known.
    pub readable: Option<&'a [PathBuf]>,
    /// The plane's own folder, of which pipelines may read only what they wrote; `None` where it is not known.
    pub private: Option<Private<'a>>,
    /// What starts the runs: it chooses among several sources.
    pub start: Start,
    /// The component to start at, instead of the pipeline's own `source`.
    pub source: Option<&'a str>,
}

/// A plane's own folder.
#[derive(Clone, Copy, Debug)]
pub struct Private<'a> {
    /// All of it.
    pub folder: &'a Path,
    /// Where in it pipelines write.
    pub outputs: &'a Path,
}

/// What starts the runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// It is not known yet.
    #[default]
    Unknown,
    /// A cron schedule.
    Schedule,
    /// Hooks, calls and people, but no schedule.
    Call,
}

/// A pipeline that can run.
#[derive(Clone, Debug, PartialEq)]
pub struct CompiledPipeline {
    /// What the engine runs.
    pub plan: Plan,
    /// What is allowed but probably not meant.
    pub warnings: Vec<Problem>,
}

/// Checks a pipeline against the providers and makes its plan.
///
/// # Errors
///
/// Every problem, those of the whole pipeline first, then in the order of the components.
pub fn compile(pipeline: &Pipeline, catalogue: &Catalogue, target: &Target) -> Result<CompiledPipeline, Vec<Problem>> {
    let mut compiled = compile_graph(pipeline.graph(), Vec::new(), catalogue, target)?;
    compiled.warnings.splice(..0, advice::of_misplaced(pipeline));
    Ok(compiled)
}

/// Reads and compiles a text, and reports the problems of its shape along with all others.
///
/// ```
/// use serde_json::json;
/// use tidemill_model::lane::Lane;
/// use tidemill_plan::{Catalogue, Class, Provider, Target, compile_text};
///
/// let webhook = Provider {
///     name: "webhook",
///     title: "Webhook",
///     description: "Gives the bodies of requests.",
///     class: Class::WaitingSource,
///     lanes: vec![],
///     gives: vec![Lane::Text],
///     config: json!({}),
///     local_only: false,
/// };
/// let lanes = vec![(Lane::Text, vec![])];
/// let log = Provider { name: "log", class: Class::Sink, lanes, gives: vec![], ..webhook.clone() };
/// let catalogue = Catalogue::new([webhook, log], |_, _, _| Ok(()));
/// let pipeline = |provider| {
///     let input = json!([{ "lane": "text", "from": "in" }]);
///     let components = json!([
///         { "id": "in", "provider": "webhook", "config": {} },
///         { "id": "out", "provider": provider, "config": {}, "input": input },
///     ]);
///     json!({ "project_id": "echo", "components": components }).to_string()
/// };
///
/// let (_, compiled) = compile_text(pipeline("log"), &catalogue, &Target::default()).unwrap();
/// assert_eq!(compiled.plan.source().provider, "webhook");
/// assert_eq!(compiled.plan.nodes.len(), 2);
///
/// let problems = compile_text(pipeline("logg"), &catalogue, &Target::default()).unwrap_err();
/// assert_eq!(problems[0].component.as_deref(), Some("out"));
/// ```
///
/// # Errors
///
/// Every problem, as [`compile`] orders them.
pub fn compile_text(
    text: impl Into<String>,
    catalogue: &Catalogue,
    target: &Target,
) -> Result<(Pipeline, CompiledPipeline), Vec<Problem>> {
    let Broken { graph, problems } = match Pipeline::read(text) {
        Ok(pipeline) => return compile(&pipeline, catalogue, target).map(|compiled| (pipeline, compiled)),
        Err(broken) => *broken,
    };
    match compile_graph(&graph, problems, catalogue, target) {
        Ok(_) => unreachable!("a broken pipeline has a problem, and a graph with one has no plan"),
        Err(problems) => Err(problems),
    }
}

fn compile_graph(
    graph: &Graph,
    known: Vec<Found>,
    catalogue: &Catalogue,
    target: &Target,
) -> Result<CompiledPipeline, Vec<Problem>> {
    let mut report = Report::new(graph, known);
    if graph.components.is_empty() {
        return Err(report.into_problems());
    }
    let wiring = wiring::connect(graph, catalogue, target, &mut report);
    let cyclic = cycles::check(&wiring, &mut report);
    let mut arrivals = lanes::arrivals(&wiring);
    config::check(&wiring, catalogue, &mut report);
    texts::check(&wiring, catalogue, target, &mut report);
    uniqueness::check(&wiring, catalogue, &mut report);
    let source = source::choose(graph, &wiring, target, &mut report);
    let reach = source.as_ref().map(|source| Reach::of(&wiring, source.at));
    let is_alive = reach.as_ref().is_some_and(Reach::has_an_end);
    if !is_alive {
        std::mem::take(&mut arrivals.dead).into_iter().for_each(|edge| edge.report(&mut report));
    }
    let (Some(source), Some(reach), false) = (source, reach, cyclic || report.has_problems()) else {
        return Err(report.into_problems());
    };
    let plan = order::plan(graph, &reach, &source, &arrivals, &mut report);
    arrivals.dead.into_iter().for_each(|edge| edge.warn(&mut report));
    source::warn_of_start(&wiring, source.at, target, &mut report);
    advice::warn(&wiring, &mut report);
    Ok(CompiledPipeline { plan, warnings: report.into_warnings() })
}

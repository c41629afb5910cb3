//! Runs a plan step by step. Each step ends with a checkpoint from which another process can go on.

use crate::checkpoint::Saved;
use crate::component::{Call, Component, Fault, Make, Run, Setup, Source};
use crate::context::RunContext;
use crate::error::Error;
use crate::flow::{Arrival, Flow};
use crate::log::Log;
use crate::providers;
use crate::results::Results;
use crate::secrets::{self, Masks};
use crate::step::{Budget, Counts, NewKey, Outcome, Step};
use crate::trace::{Recorder, Traced};
use serde_json::{Map, Value as Tree, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;
use tidemill_model::lane::Lane;
use tidemill_plan::{Edge, Plan, Provider};

/// Objects that enter together where the host is asked about keys, so that it is asked once for all of them.
const BATCH: usize = 32;

/// Work between two looks at whether other tasks of the runtime want to run.
const YIELD_AFTER: usize = 256;

/// A plan being run.
pub struct Execution {
    run: Arc<Run>,
    masks: Arc<Masks>,
    source: Box<dyn Source>,
    /// By the plan's index, less one for the source.
    components: Vec<Box<dyn Component>>,
    nodes: Vec<Wiring>,
    /// The last node that makes new keys.
    last_asking: Option<usize>,
    flow: Flow,
    log: Log,
    recorder: Recorder,
    results: Results,
    new_keys: Vec<NewKey>,
    counts: Counts,
    exhausted: bool,
    /// Components that got to know that no more values come.
    finished: usize,
}

/// A node's place in the plan.
struct Wiring {
    id: String,
    declaration: &'static Provider,
    outputs: Vec<Edge>,
}

impl Wiring {
    fn gives(&self, lane: Lane) -> &[Lane] {
        self.declaration.outputs_of(lane).unwrap_or_default()
    }
}

impl Execution {
    /// Builds the components and, if a checkpoint is given, goes on from it. A run that has a saved checkpoint must be
    /// started from it, in whichever attempt: its keys and its output are already durable up to there.
    ///
    /// # Errors
    /// Retryable if another run holds a file that this one needs.
    pub async fn start(plan: &Plan, context: RunContext, checkpoint: Option<Tree>) -> Result<Execution, Error> {
        let masks = Arc::new(Masks::new(&context.secrets));
        let mut log = Log::new(masks.clone(), context.now.clone());
        match Execution::build(plan, context, checkpoint, &masks, &mut log).await {
            Ok(execution) => Ok(Execution { log, ..execution }),
            Err((component, fault)) => Err(report(component, fault, &masks, &mut log, Traced::default())),
        }
    }

    async fn build(
        plan: &Plan,
        context: RunContext,
        checkpoint: Option<Tree>,
        masks: &Arc<Masks>,
        log: &mut Log,
    ) -> Result<Execution, (Option<String>, Fault)> {
        let mut missing = BTreeSet::new();
        let configs: Vec<Tree> =
            plan.nodes.iter().map(|node| secrets::resolve(&node.config, &context.secrets, &mut missing)).collect();
        if !missing.is_empty() {
            return Err((None, missing_secrets(&missing)));
        }
        let saved = checkpoint.map(|checkpoint| Saved::read(checkpoint, plan.nodes.len())).transpose();
        let mut saved = saved.map_err(|fault| (None, fault))?.unwrap_or_else(|| Saved::empty(plan.nodes.len()));

        let recorder = Recorder::new(context.trace, context.listener.clone(), masks.clone(), context.now.clone());
        let facts = context.run.as_json();
        let run = Arc::new(Run { context, facts });
        let (mut source, mut components, mut nodes) = (None, Vec::new(), Vec::new());
        for (index, (node, config)) in plan.nodes.iter().zip(&configs).enumerate() {
            let at = |fault| (Some(node.id.clone()), fault);
            let entry = providers::entry(&node.provider).ok_or_else(|| at(unknown(&node.provider)))?;
            let state = saved.states.get(&node.id);
            let setup = Setup { id: &node.id, config, state, run: &run, log };
            match &entry.make {
                Make::Source(make) if index == 0 => source = Some(make(setup).map_err(at)?),
                Make::Component(make) if index > 0 => components.push(make(setup).map_err(at)?),
                _ => return Err(at(Fault::new("the plan has a source where it must not be, or none"))),
            }
            nodes.push(Wiring { id: node.id.clone(), declaration: &entry.declaration, outputs: node.outputs.clone() });
        }
        let Some(source) = source else { return Err((None, Fault::new("the plan is empty"))) };
        let last_asking = components.iter().rposition(|component| component.asks_host()).map(|index| index + 1);
        let mut execution = Execution {
            run,
            masks: masks.clone(),
            source,
            components,
            nodes,
            last_asking,
            flow: std::mem::replace(&mut saved.flow, Flow::new(0)),
            log: Log::new(masks.clone(), Arc::new(jiff::Timestamp::default)),
            recorder,
            results: saved.results,
            new_keys: Vec::new(),
            counts: saved.counts,
            exhausted: saved.exhausted,
            finished: saved.finished,
        };
        std::mem::swap(&mut execution.log, log);
        let opened = execution.open().await;
        std::mem::swap(&mut execution.log, log);
        opened.map_err(|(component, fault)| (Some(component), fault))?;
        Ok(execution)
    }

    /// What the run counted so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Pulls objects from the source through the plan until the budget is used up, then makes the output durable.
    pub async fn step(&mut self, budget: &Budget) -> Result<Step, Error> {
        match self.work(budget).await {
            Ok(done) => self.hand_over(done),
            Err((component, fault)) => Err(self.failed(Some(component), fault)),
        }
    }

    async fn work(&mut self, budget: &Budget) -> Result<bool, (String, Fault)> {
        #[expect(clippy::disallowed_methods, reason = "a step's budget is of real work, not of the plane's time")]
        let start = Instant::now();
        let first = self.counts.objects;
        for turn in 1usize.. {
            let keys_full = self.new_keys.len() >= budget.new_keys.max(1);
            match self.flow.deepest() {
                Some(node) if keys_full && Some(node) <= self.last_asking => return Ok(false),
                Some(node) => self.serve(node, budget).await?,
                None if keys_full || self.counts.objects - first >= budget.objects.max(1) as u64 => return Ok(false),
                None if !self.exhausted => self.pull().await?,
                None if self.finished < self.components.len() => self.finish_next().await?,
                None => return Ok(true),
            }
            if start.elapsed() >= budget.time {
                return Ok(false);
            }
            if turn % YIELD_AFTER == 0 {
                tokio::task::yield_now().await;
            }
        }
        unreachable!("the turns do not end by themselves")
    }

    /// Lets one component take what waits for it: one value, or a batch if it has to ask the host.
    async fn serve(&mut self, node: usize, budget: &Budget) -> Result<(), (String, Fault)> {
        let asks = self.components[node - 1].asks_host();
        let mut out = Vec::new();
        if !asks {
            let arrival = self.flow.next(node).expect("the caller found something in this inbox");
            self.call(node, arrival, &mut out).await?;
            self.flow.deliver(&mut out);
            return Ok(());
        }
        let batch = self.flow.peek(node, BATCH).to_vec();
        let (component, mut call) = self.desk(node, Lane::Open, &mut out);
        let prepared = component.prepare(&batch, &mut call).await;
        prepared.map_err(|fault| self.at(node, fault))?;
        for arrival in batch {
            if self.new_keys.len() >= budget.new_keys.max(1) {
                break;
            }
            self.flow.next(node);
            self.call(node, arrival, &mut out).await?;
        }
        self.flow.deliver(&mut out);
        Ok(())
    }

    async fn call(
        &mut self,
        node: usize,
        arrival: Arrival,
        out: &mut Vec<(usize, Arrival)>,
    ) -> Result<(), (String, Fault)> {
        let lane = arrival.lane;
        self.recorder.enter(&self.nodes[node].id, lane, &arrival.value);
        let (component, mut call) = self.desk(node, lane, out);
        let taken = component.take(arrival, &mut call).await;
        let error = taken.as_ref().err().map(|fault| fault.message.as_str());
        self.recorder.leave(&self.nodes[node].id, lane, error);
        taken.map_err(|fault| self.at(node, fault))
    }

    /// Takes one object from the source, or a batch if the plan has to ask the host about each.
    async fn pull(&mut self) -> Result<(), (String, Fault)> {
        let wanted = if self.last_asking.is_some() { BATCH } else { 1 };
        let mut out = Vec::new();
        for _ in 0..wanted {
            let mut call = Call {
                run: &self.run,
                id: &self.nodes[0].id,
                counts: &mut self.counts,
                results: &mut self.results,
                new_keys: &mut self.new_keys,
                log: &mut self.log,
                recorder: &mut self.recorder,
                outputs: &self.nodes[0].outputs,
                gives: &self.nodes[0].declaration.gives,
                out: &mut out,
            };
            let pulled = self.source.pull(&mut call).await;
            if !pulled.map_err(|fault| self.at(0, fault))? {
                self.exhausted = true;
                break;
            }
            self.counts.objects += 1;
        }
        self.flow.deliver(&mut out);
        Ok(())
    }

    async fn finish_next(&mut self) -> Result<(), (String, Fault)> {
        let node = self.finished + 1;
        let mut out = Vec::new();
        let lane = self.nodes[node].declaration.lanes.first().map_or(Lane::Open, |(lane, _)| *lane);
        let (component, mut call) = self.desk(node, lane, &mut out);
        let finished = component.finish(&mut call).await;
        finished.map_err(|fault| self.at(node, fault))?;
        self.finished += 1;
        self.flow.deliver(&mut out);
        Ok(())
    }

    async fn open(&mut self) -> Result<(), (String, Fault)> {
        for node in 1..self.nodes.len() {
            let mut out = Vec::new();
            let (component, mut call) = self.desk(node, Lane::Open, &mut out);
            let opened = component.open(&mut call).await;
            opened.map_err(|fault| self.at(node, fault))?;
        }
        Ok(())
    }

    /// A component, and what it may use while it is called.
    fn desk<'a>(
        &'a mut self,
        node: usize,
        lane: Lane,
        out: &'a mut Vec<(usize, Arrival)>,
    ) -> (&'a mut Box<dyn Component>, Call<'a>) {
        let wiring = &self.nodes[node];
        let call = Call {
            run: &self.run,
            id: &wiring.id,
            counts: &mut self.counts,
            results: &mut self.results,
            new_keys: &mut self.new_keys,
            log: &mut self.log,
            recorder: &mut self.recorder,
            outputs: &wiring.outputs,
            gives: wiring.gives(lane),
            out,
        };
        (&mut self.components[node - 1], call)
    }

    /// Flushes every component, then writes down where the run stands.
    fn hand_over(&mut self, done: bool) -> Result<Step, Error> {
        for index in 0..self.components.len() {
            if let Err(fault) = self.components[index].flush() {
                return Err(self.failed(Some(self.nodes[index + 1].id.clone()), fault));
            }
        }
        let checkpoint = self.checkpoint().map_err(|fault| self.failed(None, fault))?;
        let done = done.then(|| {
            let mut result = self.results.body();
            self.masks.apply_tree(&mut result);
            Outcome { result }
        });
        let new_keys = std::mem::take(&mut self.new_keys);
        let (log, traced) = (self.log.take(), self.recorder.take());
        Ok(Step { checkpoint, new_keys, log, traced, counts: self.counts, done })
    }

    fn checkpoint(&self) -> Result<Tree, Fault> {
        let mut states = Map::new();
        states.insert(self.nodes[0].id.clone(), self.source.state());
        for (node, component) in self.nodes[1..].iter().zip(&self.components) {
            let state = component.state();
            if !state.is_null() {
                states.insert(node.id.clone(), state);
            }
        }
        Ok(json!({
            "format": Saved::FORMAT,
            "exhausted": self.exhausted,
            "finished": self.finished,
            "counts": self.counts,
            "states": states,
            "pending": self.flow.save()?,
            "results": self.results.save(),
        }))
    }

    fn failed(&mut self, component: Option<String>, fault: Fault) -> Error {
        report(component, fault, &self.masks, &mut self.log, self.recorder.take())
    }

    fn at(&self, node: usize, fault: Fault) -> (String, Fault) {
        (self.nodes[node].id.clone(), fault)
    }
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

fn report(component: Option<String>, fault: Fault, masks: &Masks, log: &mut Log, traced: Traced) -> Error {
    Error {
        component,
        message: masks.apply(&fault.message),
        hint: fault.hint.map(|hint| masks.apply(&hint)),
        retryable: fault.retryable,
        log: log.take(),
        traced: Box::new(traced),
    }
}

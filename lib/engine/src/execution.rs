//! Runs a plan step by step. Each step ends with a checkpoint from which another process can continue.

use crate::assembly::{Assembly, Wiring};
use crate::checkpoint::Checkpoint;
use crate::component::{Call, Component, Fault, Run, Source};
use crate::context::RunContext;
use crate::error::Error;
use crate::flow::{Arrival, Flow};
use crate::gauge::Gauge;
use crate::ledger::Ledger;
use crate::step::{Budget, Counts, Step};
use serde_json::{Map, Value as Tree, json};
use std::sync::Arc;
use std::time::Instant;
use tidemill_model::lane::Lane;
use tidemill_plan::Plan;

/// Objects that enter together where the host is asked about keys, so that it is asked once for all of them.
const BATCH: usize = 32;

/// Work between two looks at whether other tasks of the runtime want to run.
const YIELD_AFTER: usize = 256;

/// A plan being run.
pub struct Execution {
    run: Arc<Run>,
    source: Box<dyn Source>,
    /// By the plan's index, less one for the source.
    components: Vec<Box<dyn Component>>,
    nodes: Vec<Wiring>,
    /// The last node that makes new keys.
    last_asking: Option<usize>,
    flow: Flow,
    ledger: Ledger,
    exhausted: bool,
    /// How many components have been finished: no more values come to them.
    finished: usize,
}

impl Execution {
    /// Builds the components and, if a checkpoint is given, continues from it. A run that has a saved checkpoint must be
    /// started from it, in whichever attempt: its keys and its output are already durable up to there.
    ///
    /// # Errors
    /// Retryable if another run holds a file that this one needs.
    pub async fn start(plan: &Plan, context: RunContext, checkpoint: Option<Tree>) -> Result<Execution, Error> {
        Execution::start_with(plan, context, checkpoint, Gauge::default()).await
    }

    /// The same, seen through a gauge that the host has already.
    ///
    /// # Errors
    /// As [`Execution::start`].
    pub async fn start_with(
        plan: &Plan,
        context: RunContext,
        checkpoint: Option<Tree>,
        gauge: Gauge,
    ) -> Result<Execution, Error> {
        let run = Arc::new(Run::new(context));
        let mut ledger = Ledger::new(&run, gauge);
        let checkpoint = match Checkpoint::read(checkpoint, plan.nodes.len()) {
            Ok(checkpoint) => checkpoint,
            Err(fault) => return Err(ledger.error(None, fault)),
        };
        let Checkpoint { exhausted, finished, counts, states, flow, keys, results } = checkpoint;
        ledger.counts.set(Counts::of(plan, counts));
        ledger.results = results;
        ledger.new_keys = keys;
        let assembly = match Assembly::new(plan, &run, &states, &mut ledger.log) {
            Ok(assembly) => assembly,
            Err((component, fault)) => return Err(ledger.error(component, fault)),
        };
        let Assembly { source, components, nodes } = assembly;
        let last_asking = components.iter().rposition(|component| component.asks_host()).map(|index| index + 1);
        let mut execution =
            Execution { run, source, components, nodes, last_asking, flow, ledger, exhausted, finished };
        match execution.open().await {
            Ok(()) => {
                execution.ledger.gauge.start();
                Ok(execution)
            }
            Err((component, fault)) => Err(execution.ledger.error(Some(component), fault)),
        }
    }

    /// Pulls objects from the source through the plan until the budget is used up, then makes the output durable.
    pub async fn step(&mut self, budget: &Budget) -> Result<Step, Error> {
        match self.work(budget).await {
            Ok(done) => self.hand_over(done),
            Err((component, fault)) => Err(self.ledger.error(Some(component), fault)),
        }
    }

    async fn work(&mut self, budget: &Budget) -> Result<bool, (String, Fault)> {
        let start = real_time();
        let first = self.ledger.counts.objects();
        self.ledger.outside = None;
        for turn in 1usize.. {
            let keys_full = self.ledger.new_keys.len() >= budget.new_keys.max(1);
            // What has passed a memory goes on to its end, so that no later run has it again.
            let is_ending = self.ledger.gauge.is_ending() && !self.has_values_behind_keys();
            let objects_full = self.ledger.counts.objects() - first >= budget.objects.max(1) as u64;
            match self.flow.deepest() {
                Some(node) if is_ending || keys_full && Some(node) <= self.last_asking => return Ok(false),
                Some(node) => self.serve(node, budget).await?,
                None if self.exhausted && self.finished == self.components.len() => return Ok(true),
                None if is_ending || keys_full || objects_full => return Ok(false),
                None if !self.exhausted => self.pull().await?,
                None => self.finish_next().await?,
            }
            let is_costly = self.ledger.outside.is_some_and(|took| took >= budget.outside);
            if is_costly || start.elapsed() >= budget.time {
                return Ok(false);
            }
            if turn % YIELD_AFTER == 0 {
                tokio::task::yield_now().await;
            }
        }
        unreachable!("the turns do not end by themselves")
    }

    /// Whether values wait whose keys are new: they have passed the last component that makes keys.
    fn has_values_behind_keys(&self) -> bool {
        self.last_asking.is_some() && self.flow.deepest() > self.last_asking
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
        let start = real_time();
        let prepared = component.prepare(&batch, &mut call).await;
        self.spent(node, start);
        prepared.map_err(|fault| self.at(node, fault))?;
        for arrival in batch {
            if self.ledger.new_keys.len() >= budget.new_keys.max(1) {
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
        self.ledger.recorder.enter(&self.nodes[node].id, lane, &arrival.value);
        // Before it is taken, so that a value that takes long is seen where it is.
        self.ledger.counts.of(node, |counts| counts.taken += 1);
        let (component, mut call) = self.desk(node, lane, out);
        let start = real_time();
        let taken = component.take(arrival, &mut call).await;
        self.spent(node, start);
        let error = taken.as_ref().err().map(|fault| fault.message.as_str());
        self.ledger.recorder.leave(&self.nodes[node].id, lane, error);
        taken.map_err(|fault| self.at(node, fault))
    }

    /// Takes one object from the source, or a batch if the plan has to ask the host about each.
    async fn pull(&mut self) -> Result<(), (String, Fault)> {
        let wanted = if self.last_asking.is_some() { BATCH } else { 1 };
        let mut out = Vec::new();
        for _ in 0..wanted {
            let node = &self.nodes[0];
            let mut call = node.call(&node.declaration.gives, &self.run, &mut self.ledger, &mut out);
            let start = real_time();
            let pulled = self.source.pull(&mut call).await;
            self.spent(0, start);
            if !pulled.map_err(|fault| self.at(0, fault))? {
                self.exhausted = true;
                break;
            }
            self.ledger.counts.add_object();
        }
        self.flow.deliver(&mut out);
        Ok(())
    }

    async fn finish_next(&mut self) -> Result<(), (String, Fault)> {
        let node = self.finished + 1;
        let mut out = Vec::new();
        let lane = self.nodes[node].declaration.lanes.first().map_or(Lane::Open, |(lane, _)| *lane);
        let (component, mut call) = self.desk(node, lane, &mut out);
        let start = real_time();
        let finished = component.finish(&mut call).await;
        self.spent(node, start);
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
        let gives = wiring.declaration.outputs_of(lane).unwrap_or_default();
        (&mut self.components[node - 1], wiring.call(gives, &self.run, &mut self.ledger, out))
    }

    /// Flushes every component, then writes down where the run stands.
    fn hand_over(&mut self, done: bool) -> Result<Step, Error> {
        for index in 0..self.components.len() {
            let start = real_time();
            let flushed = self.components[index].flush();
            self.spent(index + 1, start);
            if let Err(fault) = flushed {
                let (id, fault) = self.at(index + 1, fault);
                return Err(self.ledger.error(Some(id), fault));
            }
        }
        // A key is saved when its value has left the flow. If the run ended before, no other would let the value through again.
        let new_keys = match self.has_values_behind_keys() {
            true => Vec::new(),
            false => std::mem::take(&mut self.ledger.new_keys),
        };
        let checkpoint = self.checkpoint().map_err(|fault| self.ledger.error(None, fault))?;
        let done = done.then(|| self.ledger.outcome()).transpose().map_err(|fault| self.ledger.error(None, fault))?;
        let ledger = &mut self.ledger;
        let (log, traced) = (ledger.log.take(), ledger.recorder.take());
        Ok(Step { checkpoint, new_keys, log, traced, counts: ledger.counts.read(), done })
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
            "format": Checkpoint::FORMAT,
            "exhausted": self.exhausted,
            "finished": self.finished,
            "counts": self.ledger.counts.read(),
            "states": states,
            "pending": self.flow.save()?,
            "keys": self.ledger.new_keys,
            "results": self.ledger.results.save()?,
        }))
    }

    fn spent(&mut self, node: usize, since: Instant) {
        let micros = since.elapsed().as_micros() as u64;
        self.ledger.counts.of(node, |counts| counts.micros += micros);
    }

    /// The component that failed, which counts it, and why.
    fn at(&mut self, node: usize, fault: Fault) -> (String, Fault) {
        self.ledger.counts.of(node, |counts| counts.failed += 1);
        (self.nodes[node].id.clone(), fault)
    }
}

/// A step's budget and a component's time are of real work, not of the plane's time.
#[expect(clippy::disallowed_methods, reason = "real work is measured")]
fn real_time() -> Instant {
    Instant::now()
}

//! Plans and runs for the tests of the providers.

use crate::component::Run;
use crate::context::{Host, HostError, RunContext, RunFacts, SeenKeys};
use crate::execution::Execution;
use crate::gauge::Gauge;
use crate::log::LogLine;
use crate::outbound::{NetworkPolicy, Outbound};
use crate::step::{Budget, Counts, NewKey};
use crate::trace::TraceEvents;
use crate::{Error, Folders, Input, RunInput};
use futures::future::BoxFuture;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Value as Tree;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tidemill_model::lane::Lane;
use tidemill_model::task::Trace;
use tidemill_plan::{Edge, Node, Plan};

/// A chain of components: provider, config, and the lanes (by space) on which it feeds the next. Ids are
/// `<provider>_<index>`.
pub fn nodes(chain: &[(&str, Tree, &str)]) -> Plan {
    let node = |(index, (provider, config, lanes)): (usize, &(&str, Tree, &str))| Node {
        id: format!("{provider}_{index}"),
        provider: (*provider).to_owned(),
        config: config.clone(),
        outputs: lanes
            .split_whitespace()
            .map(|name| Edge { lane: Lane::named(name).unwrap(), to: index + 1 })
            .collect(),
    };
    Plan { nodes: chain.iter().enumerate().map(node).collect(), has_other_source: false }
}

/// A table of keys in memory, with what is remembered of each.
#[derive(Default)]
pub struct Table(pub Mutex<HashMap<(String, String), String>>);

impl SeenKeys for Table {
    fn seen<'a>(
        &'a self,
        component: &'a str,
        keys: &'a [String],
    ) -> BoxFuture<'a, Result<Vec<Option<String>>, HostError>> {
        let table = self.0.lock().unwrap();
        let seen = keys.iter().map(|key| table.get(&(component.to_owned(), key.clone())).cloned()).collect();
        Box::pin(std::future::ready(Ok(seen)))
    }
}

/// A host that runs plans to their end.
pub struct Bench {
    pub context: RunContext,
    pub table: Arc<Table>,
}

/// What a whole run made.
#[derive(Debug)]
pub struct End {
    pub result: Tree,
    pub log: Vec<LogLine>,
    pub traced: TraceEvents,
    pub counts: Counts,
    pub new_keys: Vec<NewKey>,
    pub steps: usize,
    pub most_new_keys: usize,
}

impl End {
    /// What one component counted: in, out, filtered, and dropped with the reasons.
    pub fn counted(&self, id: &str) -> (u64, u64, u64, String) {
        let counts = self.counts.components.iter().find(|counts| counts.id == id).unwrap();
        let dropped = counts.dropped.iter().map(|(reason, values)| format!("{values}: {reason}")).collect::<Vec<_>>();
        (counts.taken, counts.given, counts.filtered, dropped.join(", "))
    }
}

impl Bench {
    pub fn new() -> Bench {
        let table = Arc::new(Table::default());
        Bench { context: context(table.clone(), None, NetworkPolicy::Public), table }
    }

    pub fn input(self, input: Input) -> Bench {
        self.given(RunInput::Whole(input))
    }

    pub fn given(mut self, given: RunInput) -> Bench {
        self.context.input = given;
        self
    }

    pub fn secret(mut self, name: &str, value: &str) -> Bench {
        self.context.secrets.insert(name.to_owned(), SecretString::from(value));
        self
    }

    /// Files are read below `in` and written below `out`.
    pub fn folder(mut self, folder: &std::path::Path) -> Bench {
        let folders = Folders { readable: vec![folder.join("in")], writable: folder.join("out"), private: None };
        self.context = context_with(self.context, Some(folders), NetworkPolicy::Public);
        self
    }

    pub fn private_network(mut self) -> Bench {
        self.context = context_with(self.context, None, NetworkPolicy::AllowPrivate);
        self
    }

    pub fn trace(mut self, level: Trace) -> Bench {
        self.context.trace = level;
        self
    }

    pub async fn run(&self, plan: &Plan) -> Result<End, Error> {
        self.run_within(plan, &Budget::default()).await
    }

    /// Runs a plan an object at a time, each step by a new execution that knows only the last checkpoint.
    pub async fn run_in_pieces(&self, plan: &Plan) -> Result<End, Error> {
        let budget = Budget { objects: 1, ..Budget::default() };
        let (mut checkpoint, mut log) = (None, Vec::new());
        for steps in 1.. {
            let mut execution = Execution::start(plan, self.context.clone(), checkpoint).await?;
            let step = execution.step(&budget).await?;
            log.extend(step.log);
            if let Some(outcome) = step.done {
                let (result, counts, traced) = (outcome.fields().into(), step.counts, TraceEvents::default());
                return Ok(End { result, log, traced, counts, new_keys: step.new_keys, steps, most_new_keys: 0 });
            }
            checkpoint = Some(step.checkpoint);
        }
        unreachable!("the steps do not end by themselves")
    }

    /// Runs a plan in the shortest steps, each by a new execution, and gives after each how many keys were to be saved so far, and how
    /// many values had come to the plan's last component. After so many steps it is asked to end, and makes one more.
    pub async fn keys_beside_arrivals(&self, plan: &Plan, ended_after: usize) -> Result<Vec<(usize, u64)>, Error> {
        let budget = Budget { time: Duration::ZERO, ..Budget::default() };
        let (mut checkpoint, mut keys, mut seen) = (None, 0, Vec::new());
        for steps in 0..=ended_after {
            let gauge = Gauge::default();
            let is_last = steps == ended_after;
            let budget = if is_last { Budget::default() } else { budget };
            let mut execution = Execution::start_with(plan, self.context.clone(), checkpoint, gauge.clone()).await?;
            if is_last {
                gauge.end_step();
            }
            let step = execution.step(&budget).await?;
            keys += step.new_keys.len();
            seen.push((keys, step.counts.components.last().map_or(0, |last| last.taken)));
            if step.done.is_some() {
                break;
            }
            checkpoint = Some(step.checkpoint);
        }
        Ok(seen)
    }

    pub async fn run_within(&self, plan: &Plan, budget: &Budget) -> Result<End, Error> {
        let mut execution = Execution::start(plan, self.context.clone(), None).await?;
        let (mut log, mut new_keys, mut steps, mut most_new_keys) = (Vec::new(), Vec::new(), 0, 0);
        let mut traced = TraceEvents::default();
        loop {
            let step = execution.step(budget).await?;
            steps += 1;
            most_new_keys = most_new_keys.max(step.new_keys.len());
            let keys = step.new_keys.iter().map(|new| ((new.component.clone(), new.key.clone()), new.value.clone()));
            self.table.0.lock().unwrap().extend(keys);
            new_keys.extend(step.new_keys);
            log.extend(step.log);
            traced.extend(step.traced);
            if let Some(outcome) = step.done {
                let (result, counts) = (outcome.fields().into(), step.counts);
                return Ok(End { result, log, traced, counts, new_keys, steps, most_new_keys });
            }
        }
    }
}

pub fn run() -> Run {
    Run::new(Bench::new().context)
}

/// A run with one secret.
pub fn run_with(name: &str, value: &str) -> Run {
    Run::new(Bench::new().secret(name, value).context)
}

fn context_with(context: RunContext, folders: Option<Folders>, policy: NetworkPolicy) -> RunContext {
    let host = Host { folders, outbound: Outbound::new(policy).unwrap() };
    RunContext { host: Arc::new(host), ..context }
}

fn context(seen: Arc<Table>, folders: Option<Folders>, policy: NetworkPolicy) -> RunContext {
    RunContext {
        run: RunFacts {
            run_id: "run-1".to_owned(),
            object: None,
            project: "proj".to_owned(),
            version: 1,
            attempt: 1,
            trigger: "manual".to_owned(),
            tick: None,
            previous_tick: None,
        },
        owner: None,
        input: RunInput::Nothing,
        secrets: BTreeMap::new(),
        variables: Default::default(),
        seen,
        now: Arc::new(|| Timestamp::UNIX_EPOCH),
        host: Arc::new(Host { folders, outbound: Outbound::new(policy).unwrap() }),
        trace: Trace::None,
        listener: None,
    }
}

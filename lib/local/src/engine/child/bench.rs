//! The thread that computes: one execution at a time, step by step.

use super::limits::Size;
use super::line::{InHand, Line};
use super::seen::{Answer, PlaneKeys};
use crate::engine::protocol::{HostFacts, Next, Reply, Start, StartInput};
use futures::channel::mpsc::unbounded;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Value as Tree;
use std::sync::Arc;
use tidemill_engine::{
    Arriving, Budget, Error, Execution, Gauge, Host, Live, Outbound, PARTS, RunContext, RunInput, Sender, Step,
};
use tidemill_plan::Plan;
use tokio::sync::Mutex;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;

/// What the other thread asks for.
pub enum Job {
    Begin(Box<Task>),
    Step(Budget),
}

/// Work, and what comes in for it meanwhile.
pub struct Task {
    pub start: Start,
    pub gauge: Gauge,
    pub answered: UnboundedReceiver<Answer>,
    pub arriving: UnboundedReceiver<Arriving>,
}

/// Does the jobs, until the other thread is gone.
pub async fn work(mut jobs: UnboundedReceiver<Job>, line: Line) {
    let mut bench = Bench { line, size: Size::now(), host: None, stage: Stage::Empty, in_hand: None, arrival: None };
    while let Some(job) = jobs.recv().await {
        match job {
            Job::Begin(task) => bench.begin(*task),
            Job::Step(budget) => bench.step(budget).await,
        }
    }
}

struct Bench {
    line: Line,
    /// How large the process was when it was new.
    size: Size,
    /// That of the last execution, with its connections.
    host: Option<(HostFacts, Arc<Host>)>,
    stage: Stage,
    /// What the plane may hear of, between two steps.
    in_hand: Option<InHand>,
    /// Hands over the parts of the object that arrives.
    arrival: Option<JoinHandle<()>>,
}

enum Stage {
    Empty,
    New { plan: Box<Plan>, context: Box<RunContext>, checkpoint: Option<Tree>, gauge: Gauge },
    Going(Box<Execution>),
}

impl Bench {
    fn begin(&mut self, task: Task) {
        let Task { start, gauge, answered, arriving } = task;
        let (listener, messages) = unbounded();
        self.in_hand = Some(InHand { gauge: gauge.clone(), messages, reported: None });
        let input = match start.input {
            StartInput::Nothing => RunInput::Nothing,
            StartInput::Whole(input) => RunInput::Whole(input),
            StartInput::Live { head, id } => {
                let (sender, live) = Live::new(head, id);
                self.arrival = Some(tokio::spawn(arrive(sender, arriving, self.line.clone())));
                RunInput::Live(live)
            }
        };
        let secrets = start.secrets.into_iter().map(|(name, value)| (name, SecretString::from(value)));
        let context = RunContext {
            owner: start.owner,
            run: start.run,
            input,
            secrets: secrets.collect(),
            variables: start.variables,
            seen: Arc::new(PlaneKeys { line: self.line.clone(), answers: Mutex::new(answered) }),
            now: Arc::new(now),
            host: self.host(start.host),
            trace: start.trace,
            listener: start.has_listener.then_some(listener),
        };
        let (plan, context, checkpoint) = (Box::new(start.plan), Box::new(context), start.checkpoint);
        self.stage = Stage::New { plan, context, checkpoint, gauge };
    }

    async fn step(&mut self, budget: Budget) {
        if let Some(in_hand) = self.in_hand.take() {
            self.line.open(in_hand);
        }
        let reply = match self.make(&budget).await {
            Ok((execution, step)) if step.done.is_none() => {
                self.stage = Stage::Going(execution);
                Reply::Stepped { step: Box::new(step), next: Next::Step }
            }
            Ok((execution, step)) => {
                drop(execution);
                Reply::Stepped { step: Box::new(step), next: self.end() }
            }
            Err(error) => Reply::Failed { error: Box::new(error), next: self.end() },
        };
        self.in_hand = self.line.close(reply);
    }

    async fn make(&mut self, budget: &Budget) -> Result<(Box<Execution>, Step), Error> {
        let mut execution = match std::mem::replace(&mut self.stage, Stage::Empty) {
            Stage::Empty => return Err(Error::of_plan("a step was asked for before any work")),
            Stage::New { plan, context, checkpoint, gauge } => {
                let execution = Execution::start_with(&plan, *context, checkpoint, gauge).await?;
                self.has_begun();
                Box::new(execution)
            }
            Stage::Going(execution) => execution,
        };
        let step = execution.step(budget).await?;
        Ok((execution, step))
    }

    /// Says that what comes now is of an execution that has begun, and lets the parts of its object come.
    fn has_begun(&self) {
        self.line.report();
        let parts = if self.arrival.is_some() { PARTS } else { 0 };
        (0..parts).for_each(|_| self.line.send(Reply::Taken));
    }

    /// The execution is over: what still arrives for it is not its plane's concern.
    fn end(&mut self) -> Next {
        if let Some(arrival) = self.arrival.take() {
            arrival.abort();
        }
        if self.size.is_outgrown() { Next::End } else { Next::Start }
    }

    /// The client of a host is made once, and keeps its connections.
    fn host(&mut self, facts: HostFacts) -> Arc<Host> {
        if let Some((known, host)) = &self.host
            && *known == facts
        {
            return host.clone();
        }
        let outbound = Outbound::new(facts.policy).expect("its client is made at the first request");
        let host = Arc::new(Host { folders: facts.folders.clone(), outbound });
        self.host = Some((facts, host.clone()));
        host
    }
}

/// Hands over the parts of an object, as soon as there is room for them.
async fn arrive(sender: Sender, mut arriving: UnboundedReceiver<Arriving>, line: Line) {
    loop {
        // Without the other end of the pipe, the object is lost.
        match arriving.recv().await.unwrap_or(Arriving::Lost) {
            Arriving::Part(part) => {
                if sender.send(part).await.is_err() {
                    return;
                }
                line.send(Reply::Taken);
            }
            // A run that ended before knows what it took.
            Arriving::Whole => {
                let _ = sender.end().await;
                return;
            }
            Arriving::Lost => return,
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a process has the clock of the machine, as its plane has")]
fn now() -> Timestamp {
    Timestamp::now()
}

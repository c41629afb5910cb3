//! One execution in an engine process, as the plane follows it.

use super::pool::{Pool, Taken};
use super::protocol::{HostFacts, Next, Reply, Request, Start, StartInput};
use futures::future::BoxFuture;
use secrecy::ExposeSecret;
use std::io;
use std::sync::Arc;
use tidemill_engine::{Arriving, Budget, Gauge, Halt, Live, RunContext, RunInput, Running, Step, Work};
use tokio::sync::OwnedSemaphorePermit;

/// An execution in another process.
pub struct Remote {
    pool: Arc<Pool>,
    work: Work,
    gauge: Gauge,
    /// `None` before the first step and after the last.
    taken: Option<Taken>,
    /// The object that arrives, if one does and it is not whole yet.
    live: Option<Live>,
    /// Parts that the process has room for: none before it has begun, so that an object can be tried again whose components could not.
    room: usize,
    _place: Option<OwnedSemaphorePermit>,
}

/// What happens while a process makes a step.
enum Happening {
    Reply(Reply),
    Arriving(Arriving),
    Ending,
}

impl Remote {
    pub fn new(pool: Arc<Pool>, work: Work) -> Remote {
        let live = match &work.context.input {
            RunInput::Live(live) => Some(live.clone()),
            _ => None,
        };
        Remote { pool, work, gauge: Gauge::default(), taken: None, live, room: 0, _place: None }
    }

    /// Makes a step, and gives the process back after the last.
    async fn make(&mut self, budget: Budget) -> Result<Step, Halt> {
        if self.taken.is_none() {
            self.begin().await?;
        }
        let made = match self.follow(budget).await {
            Ok(made) => made,
            Err(_) => return Err(self.bury().await),
        };
        match made {
            Reply::Stepped { step, next } => {
                self.keep(next);
                Ok(self.with_lines(*step))
            }
            Reply::Failed { mut error, next } => {
                self.keep(next);
                error.log.splice(..0, self.gauge.take_log());
                Err(Halt::Failed(error))
            }
            _ => Err(self.bury().await),
        }
    }

    /// Takes a process and gives it the work.
    async fn begin(&mut self) -> Result<(), Halt> {
        if self.live.is_some() {
            self._place = Some(self.pool.place().await);
        }
        let unavailable = |error: io::Error| Halt::Unavailable(format!("no engine process can be started: {error}"));
        let taken = self.pool.take(&self.work.owner).map_err(unavailable)?;
        let start = Request::Start(Box::new(start(&self.work)));
        if self.taken.insert(taken).process().send(&start).await.is_err() {
            return Err(self.bury().await);
        }
        Ok(())
    }

    /// Lets the process make a step, and serves it until the step is made.
    async fn follow(&mut self, budget: Budget) -> io::Result<Reply> {
        let process = self.taken.as_mut().ok_or(io::ErrorKind::NotConnected)?.process();
        process.send(&Request::Step(budget)).await?;
        let mut is_ending = false;
        loop {
            let happening = tokio::select! {
                reply = process.reply() => Happening::Reply(reply?),
                arriving = arriving(&self.live), if self.room > 0 => Happening::Arriving(arriving),
                () = self.gauge.ending(), if !is_ending => Happening::Ending,
            };
            match happening {
                Happening::Reply(Reply::Progress { lines, counts }) => self.gauge.follow(lines, counts),
                Happening::Reply(Reply::Message(event)) => {
                    if let Some(listener) = &self.work.context.listener {
                        // The listener may have gone.
                        let _ = listener.unbounded_send(event);
                    }
                }
                Happening::Reply(Reply::Ask { component, keys }) => {
                    let seen = self.work.context.seen.seen(&component, &keys).await;
                    process.send(&Request::Seen(seen)).await?;
                }
                Happening::Reply(Reply::Taken) => self.room += 1,
                Happening::Reply(made) => return Ok(made),
                Happening::Arriving(Arriving::Part(part)) => {
                    self.room -= 1;
                    process.send(&Request::Part(part)).await?;
                }
                Happening::Arriving(end) => {
                    self.live = None;
                    let end = if end == Arriving::Whole { Request::Whole } else { Request::Lost };
                    process.send(&end).await?;
                }
                Happening::Ending => {
                    is_ending = true;
                    process.send(&Request::EndStep).await?;
                }
            }
        }
    }

    /// A step with the lines that came before it and were not taken.
    fn with_lines(&self, mut step: Step) -> Step {
        step.log.splice(..0, self.gauge.take_log());
        self.gauge.follow(Vec::new(), Some(step.counts.clone()));
        step
    }

    fn keep(&mut self, next: Next) {
        match (next, self.taken.take()) {
            (Next::Step, taken) => self.taken = taken,
            (Next::Start, Some(taken)) => taken.give_back(),
            (Next::End, _) | (_, None) => {}
        }
    }

    /// Takes leave of a process whose pipe broke.
    async fn bury(&mut self) -> Halt {
        match self.taken.take() {
            Some(taken) => Halt::Died(taken.into_process().death().await),
            None => Halt::Unavailable("the execution is over".to_owned()),
        }
    }
}

impl Running for Remote {
    fn step(&mut self, budget: Budget) -> BoxFuture<'_, Result<Step, Halt>> {
        Box::pin(self.make(budget))
    }

    fn gauge(&self) -> Gauge {
        self.gauge.clone()
    }

    fn abandon(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            if let Some(taken) = self.taken {
                taken.into_process().kill().await;
            }
        })
    }
}

/// What comes next of an object, if one arrives.
async fn arriving(live: &Option<Live>) -> Arriving {
    match live {
        Some(live) => live.part().await,
        None => std::future::pending().await,
    }
}

/// The work as it crosses the pipe.
fn start(work: &Work) -> Start {
    let RunContext { owner, run, input, secrets, variables, host, trace, listener, seen: _, now: _ } = &work.context;
    let secrets = secrets.iter().map(|(name, value)| (name.clone(), value.expose_secret().to_owned()));
    Start {
        plan: (*work.plan).clone(),
        owner: owner.clone(),
        run: run.clone(),
        input: match input {
            RunInput::Nothing => StartInput::Nothing,
            RunInput::Whole(input) => StartInput::Whole(input.clone()),
            RunInput::Live(live) => StartInput::Live { head: live.head.clone(), id: live.id.clone() },
        },
        secrets: secrets.collect(),
        variables: variables.clone(),
        host: HostFacts { folders: host.folders.clone(), policy: host.outbound.policy() },
        trace: *trace,
        has_listener: listener.is_some(),
        checkpoint: work.checkpoint.clone(),
    }
}

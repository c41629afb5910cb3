//! The worker of a run, at work on one attempt.
//!
//! Every write is conditioned on the epoch of its lease, so a worker that lost it can write nothing. What a step of the
//! engine made is saved in one transaction, so a worker that dies is followed by one that goes on after the last saved
//! object.

use crate::bell::BellOutcome;
use crate::error::{Code, Error};
use crate::lease::{Holding, RENEWAL};
use crate::plane::Plane;
use crate::run::finish::{self, AttemptEnd};
use crate::run::log_ahead::LogAhead;
use crate::run::preparation::{self, StartError};
use crate::run::progress::{self, NEW_KEYS};
use jiff::Timestamp;
use std::time::Duration;
use tidemill_engine::{Budget, Execution, Gauge, Step};
use tidemill_model::run::{Ended, Failure, Run};
use tidemill_store::Held;
use tokio::task::JoinSet;

/// How long a step may go on before what it made is saved.
const STEP: Duration = Duration::from_secs(1);
/// How long a cancelled run may take to finish the object in hand.
const CANCEL_GRACE: Duration = Duration::from_secs(10);
/// Workers that may die in a row without saving progress before the run is given up: it kills them.
const DEATHS: u32 = 20;

/// The holder of a run's lease.
pub(crate) struct RunWorker<'a> {
    pub plane: &'a Plane,
    pub run: Held<Run>,
    /// What the log has of the step in hand.
    ahead: LogAhead,
}

/// How the work on an attempt stopped.
enum Stop {
    Ended(AttemptEnd),
    /// Another worker holds the run now, or the process is about to stop; nothing more may be written.
    Left,
}

/// What came of a step.
enum StepEnd {
    /// With the execution, to go on with.
    Through(Box<(Execution, Result<Step, tidemill_engine::Error>)>),
    /// It took too long, and what it did not save is dropped.
    Cut(Ended),
    Lost,
}

impl RunWorker<'_> {
    pub fn of(plane: &Plane, run: Held<Run>) -> RunWorker<'_> {
        RunWorker { plane, run, ahead: LogAhead::default() }
    }

    pub async fn work(mut self) -> Result<BellOutcome, Error> {
        if self.run.deaths > DEATHS {
            return finish::end(self.plane, self.run, AttemptEnd::of(killer())).await;
        }
        let now = self.plane.now();
        if now >= self.run.time_is_up(now) {
            let ended = if self.run.cancel_requested_at.is_some() { Ended::Cancelled } else { Ended::TimedOut };
            return finish::end(self.plane, self.run, AttemptEnd::of(ended)).await;
        }
        self.ahead = LogAhead::of(self.plane, &self.run).await?;
        let stop = match preparation::start(self.plane, &self.run).await {
            Ok(execution) => self.steps(execution).await?,
            Err(StartError::Engine(error)) => Stop::Ended(AttemptEnd::failed(error)),
            Err(StartError::Plane(error)) => return Err(error),
        };
        match stop {
            Stop::Ended(end) => {
                let end = end.with_log(|lines| self.ahead.without_written(lines));
                finish::end(self.plane, self.run, end).await
            }
            Stop::Left => Ok(BellOutcome::Done),
        }
    }

    /// Steps until the source has no more, a caller asks to stop, or time is up.
    async fn steps(&mut self, mut execution: Execution) -> Result<Stop, Error> {
        let time_is_up = self.run.time_is_up(self.plane.now());
        let budget = Budget { new_keys: NEW_KEYS, time: step_time(self.run.deaths), ..Budget::default() };
        let gauge = execution.gauge();
        loop {
            let made = match self.step(execution, &gauge, budget, time_is_up).await? {
                StepEnd::Through(through) => {
                    let (given_back, made) = *through;
                    execution = given_back;
                    made
                }
                StepEnd::Cut(ended) => return Ok(Stop::Ended(AttemptEnd::cut(ended, &gauge))),
                StepEnd::Lost => return Ok(Stop::Left),
            };
            let mut step = match made {
                Ok(step) => step,
                Err(error) => return Ok(Stop::Ended(AttemptEnd::failed(error))),
            };
            if step.done.is_some() {
                return Ok(Stop::Ended(AttemptEnd::done(step)));
            }
            step.log = self.ahead.without_written(step.log);
            match progress::save_step(self.plane, &mut self.run, &step, &self.ahead).await {
                Ok(Holding::Kept) => {}
                Ok(Holding::Lost) => return Ok(Stop::Left),
                Err(error) if error.code == Code::TooLarge => {
                    return Ok(Stop::Ended(AttemptEnd::too_large(step, &error)));
                }
                Err(error) => return Err(error),
            }
            if let Some(stop) = self.stop_between_steps(time_is_up) {
                return Ok(stop);
            }
        }
    }

    fn stop_between_steps(&self, time_is_up: Timestamp) -> Option<Stop> {
        if self.run.cancel_requested_at.is_some() {
            return Some(Stop::Ended(AttemptEnd::of(Ended::Cancelled)));
        }
        if self.plane.now() >= time_is_up {
            return Some(Stop::Ended(AttemptEnd::of(Ended::TimedOut)));
        }
        self.plane.is_stopping().then_some(Stop::Left)
    }

    /// One step of the engine, with the lease kept alive beside it. With each renewal the log so far and the counts go out.
    ///
    /// The step is a task of its own, so that neither the lease nor the time limit waits for one that computes. What ends early
    /// drops the task, which stops at its next pause.
    async fn step(
        &mut self,
        mut execution: Execution,
        gauge: &Gauge,
        budget: Budget,
        time_is_up: Timestamp,
    ) -> Result<StepEnd, Error> {
        let mut working = JoinSet::new();
        let step = async move {
            let made = execution.step(&budget).await;
            (execution, made)
        };
        working.spawn_on(step, &self.plane.workers.engine);
        let mut cancelled_for = Duration::ZERO;
        loop {
            let left = until(self.plane.now(), time_is_up);
            let look_again = RENEWAL.min(left.max(Duration::from_millis(10)));
            tokio::select! {
                Some(made) = working.join_next() => return Ok(match made {
                    Ok(made) => StepEnd::Through(Box::new(made)),
                    Err(error) if error.is_panic() => StepEnd::Cut(broken()),
                    // The process is about to end.
                    Err(_) => StepEnd::Lost,
                }),
                () = tokio::time::sleep(look_again) => {}
            }
            if self.plane.now() >= time_is_up {
                return Ok(StepEnd::Cut(Ended::TimedOut));
            }
            if self.renew(gauge).await? == Holding::Lost {
                return Ok(StepEnd::Lost);
            }
            if self.run.cancel_requested_at.is_some() {
                cancelled_for += look_again;
                if cancelled_for > CANCEL_GRACE {
                    return Ok(StepEnd::Cut(Ended::Cancelled));
                }
            }
        }
    }

    /// If the process dies before the write, the lines are lost with the step, which makes them
    /// again; if it dies after it, they are known as written ahead.
    async fn renew(&mut self, gauge: &Gauge) -> Result<Holding, Error> {
        let lines = self.ahead.without_written(gauge.take_log());
        progress::renew(self.plane, &mut self.run, &lines, &gauge.counts()).await
    }
}

fn killer() -> Ended {
    let failure = Failure {
        component: None,
        message: format!("{DEATHS} workers in a row died at this run without any progress"),
        hint: Some("look for an object that makes a component use too much memory or time".into()),
    };
    Ended::Failed { failure, retryable: false }
}

fn broken() -> Ended {
    let failure = Failure {
        component: None,
        message: "the engine broke off in the middle of this run".to_owned(),
        hint: Some("this is a fault of Tidemill: report it with the plane's log of this moment".into()),
    };
    Ended::Failed { failure, retryable: false }
}

/// How long a step of a run may take whose last workers died: the shorter they lived, the sooner progress is saved, so
/// that a plane that is killed again and again still gets on.
fn step_time(deaths: u32) -> Duration {
    STEP / (1 << deaths.min(6))
}

pub(crate) fn until(now: Timestamp, at: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or_default()
}

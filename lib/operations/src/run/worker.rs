//! The worker of a run, at work on one attempt.
//!
//! Every write is conditioned on the epoch of its lease, so a worker that lost it can write nothing. What a step of the
//! engine made is saved in one transaction, so a worker that dies is followed by one that goes on after the last saved
//! object.

use crate::bell::BellOutcome;
use crate::error::{Code, Error};
use crate::lease::{Holding, RENEWAL};
use crate::plane::Plane;
use crate::run::engine_death::{self, ENGINE_DEATHS};
use crate::run::finish::{self, AttemptEnd};
use crate::run::log_ahead::LogAhead;
use crate::run::preparation::{self, StartError};
use crate::run::progress::{self, NEW_KEYS};
use crate::run::turn::bell;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tidemill_engine::{Budget, Death, Gauge, Halt, Level, LogLine, Running, Step};
use tidemill_model::lease::DEATHS;
use tidemill_model::run::{Ended, Failure, Run};
use tidemill_store::Held;
use tokio::sync::Notify;

/// How long a step may go on before what it made is saved.
const STEP: Duration = Duration::from_secs(1);
/// How long a run that is cancelled, or at its time limit, may take to finish the value in hand.
const GRACE: Duration = Duration::from_millis(500);

/// The holder of a run's lease.
pub(crate) struct RunWorker<'a> {
    pub plane: &'a Plane,
    pub run: Held<Run>,
    /// Notified when a caller of this process cancels the run.
    cancelled: Arc<Notify>,
    /// What the log has of the step in hand.
    ahead: LogAhead,
    /// The uptime of this process at which the time of the run is over. The record has the limit by the clock; a worker that holds
    /// the run goes by what no change of the clock touches.
    deadline: Duration,
    /// The uptime from which on another worker is to go on with it.
    hand_over_at: Option<Duration>,
}

/// How the work on an attempt stopped.
enum Stop {
    Ended(AttemptEnd),
    /// Another worker holds the run now, or the process is about to stop; nothing more may be written.
    Left,
    /// It has been saved, and takes longer than this worker has time.
    HandOver,
    /// The process that executed it died.
    Died(Death, Gauge),
}

/// What came of a step.
enum StepEnd {
    Made(Result<Step, Halt>),
    /// It took too long, and what it did not save is dropped.
    Cut(Ended),
    Lost,
}

impl RunWorker<'_> {
    pub fn of(plane: &Plane, run: Held<Run>, cancelled: Arc<Notify>) -> RunWorker<'_> {
        let now = plane.now();
        let deadline = plane.uptime() + until(now, run.time_is_up(now));
        RunWorker { plane, run, cancelled, ahead: LogAhead::default(), deadline, hand_over_at: None }
    }

    /// The same worker, which hands the run over to one at its bell if it takes longer than `time`.
    pub fn for_at_most(self, time: Duration) -> Self {
        let hand_over_at = Some(self.plane.uptime() + time);
        RunWorker { hand_over_at, ..self }
    }

    pub async fn work(mut self) -> Result<BellOutcome, Error> {
        // A run that is executed apart ends its own process and no worker.
        if self.run.deaths > DEATHS && !self.plane.engine.is_apart() {
            return finish::end(self.plane, self.run, AttemptEnd::of(killer())).await;
        }
        if self.left().is_zero() {
            let ended = if self.run.cancel_requested_at.is_some() { Ended::Cancelled } else { Ended::TimedOut };
            return finish::end(self.plane, self.run, AttemptEnd::of(ended)).await;
        }
        loop {
            self.ahead = LogAhead::of(self.plane, &self.run).await?;
            let end = match self.execute().await? {
                Stop::Ended(end) => end,
                Stop::Left => return Ok(BellOutcome::Done),
                Stop::HandOver => {
                    if progress::give_back(self.plane, &mut self.run).await? == Holding::Kept {
                        self.plane.ring(bell(&self.run), Duration::ZERO).await;
                    }
                    return Ok(BellOutcome::Done);
                }
                Stop::Died(death, gauge) if self.run.engine_deaths + 1 >= ENGINE_DEATHS => {
                    AttemptEnd::cut(engine_death::failed(&death), &gauge)
                }
                Stop::Died(death, _) => {
                    let line = engine_death::line(&self.run, &death, self.plane.now());
                    if progress::count_engine_death(self.plane, &mut self.run, line).await? == Holding::Lost {
                        return Ok(BellOutcome::Done);
                    }
                    continue;
                }
            };
            let end = end.with_log(|lines| self.ahead.without_written(lines));
            return finish::end(self.plane, self.run, end).await;
        }
    }

    /// Executes the run from its last checkpoint.
    async fn execute(&mut self) -> Result<Stop, Error> {
        match preparation::start(self.plane, &self.run).await {
            Ok(running) => self.steps(running).await,
            Err(StartError::Engine(error)) => Ok(Stop::Ended(AttemptEnd::failed(error))),
            Err(StartError::Plane(error)) => Err(error),
        }
    }

    /// Steps until the source has no more, a caller asks to stop, or time is up. Then one more step takes nothing new: it lets through
    /// what waits in the middle.
    async fn steps(&mut self, mut running: Box<dyn Running>) -> Result<Stop, Error> {
        let gauge = running.gauge();
        loop {
            let ended = self.asked_to_end();
            if ended.is_some() {
                gauge.end_step();
            }
            let time = step_time(self.run.deaths).min(self.left().max(GRACE));
            let budget = Budget { new_keys: NEW_KEYS, time, ..Budget::default() };
            let made = match self.step(running.as_mut(), &gauge, budget).await? {
                StepEnd::Made(made) => made,
                StepEnd::Cut(ended) => {
                    running.abandon().await;
                    let line = self.line("cut off in the middle of a value: what that did so far is not undone");
                    return Ok(Stop::Ended(AttemptEnd::cut(ended, &gauge).with_line(line)));
                }
                StepEnd::Lost => {
                    running.abandon().await;
                    return Ok(Stop::Left);
                }
            };
            let mut step = match made {
                Ok(step) => step,
                Err(Halt::Failed(error)) => return Ok(Stop::Ended(AttemptEnd::failed(*error))),
                Err(Halt::Died(death)) => return Ok(Stop::Died(death, gauge)),
                Err(Halt::Unavailable(why)) => return Err(Error::new(Code::Unavailable, why)),
                Err(Halt::Stopping) => return Ok(Stop::Left),
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
            if let Some(ended) = ended {
                return Ok(Stop::Ended(AttemptEnd::of(ended)));
            }
            if let Some(stop) = self.stop_between_steps() {
                return Ok(stop);
            }
        }
    }

    fn stop_between_steps(&self) -> Option<Stop> {
        match self.hand_over_at.is_some_and(|at| at <= self.plane.uptime()) {
            _ if self.plane.is_stopping() => Some(Stop::Left),
            true => Some(Stop::HandOver),
            false => None,
        }
    }

    /// How the run ends by what was known of it last, if it is to end before it is through.
    fn asked_to_end(&self) -> Option<Ended> {
        if self.run.cancel_requested_at.is_some() {
            return Some(Ended::Cancelled);
        }
        self.left().is_zero().then_some(Ended::TimedOut)
    }

    /// Until the run's time is over.
    fn left(&self) -> Duration {
        self.deadline.saturating_sub(self.plane.uptime())
    }

    /// One step of the engine, with the lease kept alive beside it. With each renewal the log so far and the counts go out.
    ///
    /// Neither the lease nor the time limit waits for a step that computes. A run that is to end may finish the value in hand, if
    /// that does not take long.
    async fn step(&mut self, running: &mut dyn Running, gauge: &Gauge, budget: Budget) -> Result<StepEnd, Error> {
        let mut step = running.step(budget);
        let cancelled = self.cancelled.clone();
        loop {
            let left = self.left();
            tokio::select! {
                made = &mut step => return Ok(StepEnd::Made(made)),
                () = cancelled.notified() => {}
                () = tokio::time::sleep(RENEWAL.min(left.max(Duration::from_millis(10)))) => {}
            }
            let is_late = self.left().is_zero();
            if !is_late && self.renew(gauge).await? == Holding::Lost {
                return Ok(StepEnd::Lost);
            }
            if let Some(ended) = self.asked_to_end() {
                gauge.end_step();
                let made = tokio::time::timeout(GRACE, step).await;
                return Ok(made.map_or(StepEnd::Cut(ended), StepEnd::Made));
            }
        }
    }

    /// If the process dies before the write, the lines are lost with the step, which makes them
    /// again; if it dies after it, they are known as written ahead.
    async fn renew(&mut self, gauge: &Gauge) -> Result<Holding, Error> {
        let lines = self.ahead.without_written(gauge.take_log());
        progress::renew(self.plane, &mut self.run, &lines, gauge.counts().as_ref()).await
    }

    fn line(&self, message: &str) -> LogLine {
        let (at, attempt) = (self.plane.now(), self.run.attempt);
        LogLine { at, level: Level::Warn, component: None, message: message.to_owned(), attempt }
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

/// How long a step of a run may take whose last workers died: the shorter they lived, the sooner progress is saved, so
/// that a plane that is killed again and again still gets on.
fn step_time(deaths: u32) -> Duration {
    STEP / (1 << deaths.min(6))
}

pub(crate) fn until(now: Timestamp, at: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or_default()
}

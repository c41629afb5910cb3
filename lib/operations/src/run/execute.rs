//! Executes a run.
//!
//! The right to do so is a lease on the run's record; every write is conditioned on its epoch, so a worker that lost
//! its lease can write nothing. What a step of the engine made (checkpoint, seen keys, log lines) is saved in one
//! transaction, so a worker that dies is followed by one that goes on after the last saved object.

use crate::bell::BellOutcome;
use crate::deployment::change::HISTORY;
use crate::error::Error;
use crate::plane::Plane;
use crate::run::finish;
use crate::run::finish::{Attempt, Saved};
use crate::run::preparation;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tidemill_engine::{Budget, Execution, RunContext, RunInput, Step};
use tidemill_model::deployment::Deployment;
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::ids::{OwnerId, RunId};
use tidemill_model::lease::Lease;
use tidemill_model::run::{Ended, Failure, Run, State};
use tidemill_model::task::{Task, Trace};
use tidemill_plan::Plan;
use tidemill_store::Part;

/// How long a lease lasts. It is renewed at every save and, during a long step, three times as often.
const LEASE: SignedDuration = SignedDuration::from_secs(30);
const RENEWAL: Duration = Duration::from_secs(10);
/// How long a step may go on before what it made is saved.
const STEP: Duration = Duration::from_secs(1);
/// Keys of one save: they share a transaction of 100 items with the run's own rows.
const NEW_KEYS: usize = 50;
/// How long a cancelled run may take to finish the object in hand.
const CANCEL_GRACE: Duration = Duration::from_secs(10);
/// Workers that may die in a row without saving progress before the run is given up: it kills them.
const DEATHS: u32 = 20;
/// How soon a run that waits for another one looks again.
const BUSY_DELAY: Duration = Duration::from_millis(500);

/// Executes a run, if it is to be executed and nobody else does.
pub async fn run(plane: &Plane, owner: &OwnerId, deployment: &DeploymentId, run: &RunId) -> Result<BellOutcome, Error> {
    let Some(found) = plane.store.run(owner, deployment, run).await? else { return Ok(BellOutcome::Done) };
    if found.state.is_final() || found.is_open_task() {
        return Ok(BellOutcome::Done);
    }
    let now = plane.now();
    if let Some(wait) = found.not_before.filter(|at| found.state == State::Queued && *at > now) {
        return Ok(BellOutcome::RingAgain(until(now, wait)));
    }
    if !found.may_be_claimed(now, plane.workers.this()) {
        return Ok(BellOutcome::Done);
    }
    if plane.is_stopping() {
        return Ok(BellOutcome::Done);
    }
    match claim(plane, found, now).await? {
        Claim::Taken(claimed) => Worker { plane, run: *claimed }.work().await,
        Claim::Busy(going) => wait_behind(plane, owner, deployment, &going).await,
        Claim::Met => Ok(BellOutcome::RingAgain(BUSY_DELAY)),
        Claim::Lost => Ok(BellOutcome::Done),
    }
}

/// Waits for the run that holds the right to run, and executes it if nobody does: its bell may be lost, or stand in
/// line behind the one that is being answered.
async fn wait_behind(
    plane: &Plane,
    owner: &OwnerId,
    deployment: &DeploymentId,
    going: &RunId,
) -> Result<BellOutcome, Error> {
    match Box::pin(run(plane, owner, deployment, going)).await? {
        BellOutcome::Done => Ok(BellOutcome::RingAgain(BUSY_DELAY)),
        again => Ok(again),
    }
}

/// How long a step of a run may take whose last workers died: the shorter they lived, the sooner progress is saved, so
/// that a plane that is killed again and again still gets on.
fn step_time(deaths: u32) -> Duration {
    STEP / (1 << deaths.min(6))
}

fn until(now: Timestamp, at: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or_default()
}

enum Claim {
    Taken(Box<Run>),
    /// Another run holds the right to run.
    Busy(RunId),
    /// The deployment was changed at the same time.
    Met,
    /// Somebody else took it.
    Lost,
}

/// Takes the lease, and the deployment's right to run with it where the run does not hold that yet.
async fn claim(plane: &Plane, before: Run, now: Timestamp) -> Result<Claim, Error> {
    let mut after = before.clone();
    after.state = State::Running;
    after.started_at = after.started_at.or(Some(now));
    after.not_before = None;
    after.epoch += 1;
    after.deaths = if before.state == State::Running { before.deaths + 1 } else { 0 };
    after.lease = Some(Lease { holder: plane.workers.me.clone(), until: now + LEASE });
    let mut transaction = plane.store.transaction().run(&before, &after, before.queued_at + HISTORY)?;
    // A task takes no turn of the deployment's.
    let deployment = match before.task {
        Some(_) => None,
        None => match plane.store.deployment(&before.owner, &before.deployment).await? {
            None => return Ok(Claim::Lost),
            deployment => deployment,
        },
    };
    if let Some(deployment) = deployment
        && deployment.current.as_ref() != Some(&before.id)
    {
        if let Some(going) = going(plane, &deployment).await? {
            return Ok(Claim::Busy(going));
        }
        let mut holding = deployment.clone();
        holding.revision += 1;
        holding.current = Some(before.id.clone());
        transaction = transaction.deployment(&holding, deployment.revision)?;
    }
    match transaction.commit().await {
        Ok(()) => Ok(Claim::Taken(Box::new(after))),
        Err(error) if error.rejects(Part::Run) => Ok(Claim::Lost),
        Err(error) if error.rejects(Part::Deployment) => Ok(Claim::Met),
        Err(error) => Err(error.into()),
    }
}

/// The run that holds a deployment's right to run, if it has not ended.
pub(crate) async fn going(plane: &Plane, deployment: &Deployment) -> Result<Option<RunId>, Error> {
    let Some(current) = &deployment.current else { return Ok(None) };
    let found = plane.store.run(&deployment.owner, &deployment.id, current).await?;
    Ok(found.filter(|run| !run.state.is_final()).map(|run| run.id))
}

/// The holder of a run's lease, at work on one attempt.
struct Worker<'a> {
    plane: &'a Plane,
    run: Run,
}

/// How the work on an attempt came to its end.
enum Worked {
    Ended(Attempt),
    /// Somebody else holds the run now, or the process is about to stop; nothing more may be written.
    Left,
}

impl Worker<'_> {
    async fn work(mut self) -> Result<BellOutcome, Error> {
        if self.run.deaths > DEATHS {
            let failure = Failure {
                component: None,
                message: format!("{DEATHS} workers in a row died at this run without any progress"),
                hint: Some("look for an object that makes a component use too much memory or time".into()),
            };
            return self.end(Attempt::ended(Ended::Failed { failure, retryable: false })).await;
        }
        let worked = match self.start().await {
            Ok(execution) => self.steps(execution).await?,
            Err(Start::Engine(error)) => Worked::Ended(Attempt::failed(error)),
            Err(Start::Plane(error)) => return Err(error),
        };
        match worked {
            Worked::Ended(attempt) => self.end(attempt).await,
            Worked::Left => Ok(BellOutcome::Done),
        }
    }

    async fn end(self, attempt: Attempt) -> Result<BellOutcome, Error> {
        finish::end(self.plane, self.run, attempt).await
    }

    /// Brings together what the engine needs: the plan, the input, the secrets, the checkpoint.
    async fn start(&self) -> Result<Execution, Start> {
        let Worker { plane, run } = self;
        let plan = preparation::plan(plane, run).await?;
        let checkpoint = match run.epoch {
            // Nobody worked on it before.
            1 => None,
            _ => plane.store.checkpoint(&run.owner, &run.deployment, &run.id).await.map_err(Error::from)?,
        };
        let checkpoint = checkpoint.map(|saved| serde_json::from_str(&saved.0)).transpose().map_err(Error::internal)?;
        let task = match &run.task {
            Some(hash) => plane.store.task_by_hash(&run.owner, hash).await.map_err(Error::from)?,
            None => None,
        };
        let ambient = plane.ambient.clone();
        let context = RunContext {
            run: preparation::facts(run),
            input: input(plane, run).await?,
            secrets: secrets(plane, run, &plan, task.as_ref()).await?,
            seen: preparation::seen(plane, &run.owner, &run.deployment),
            now: Arc::new(move || ambient.now()),
            host: plane.host.clone(),
            trace: task.as_ref().map_or(Trace::None, |task| task.trace),
            listener: None,
        };
        Execution::start(&plan, context, checkpoint).await.map_err(Start::Engine)
    }

    /// Steps until the source has no more, somebody asks to stop, or time is up.
    async fn steps(&mut self, mut execution: Execution) -> Result<Worked, Error> {
        let started = self.plane.now();
        let time_is_up = started + SignedDuration::from_secs(self.run.timeout_seconds.into());
        let budget = Budget { new_keys: NEW_KEYS, time: step_time(self.run.deaths), ..Budget::default() };
        loop {
            let step = match self.step(&mut execution, &budget, time_is_up).await? {
                Stepped::Made(made) => match *made {
                    Ok(step) => step,
                    Err(error) => return Ok(Worked::Ended(Attempt::failed(error))),
                },
                Stepped::Cancelled => return Ok(Worked::Ended(Attempt::ended(Ended::Cancelled))),
                Stepped::TimedOut => return Ok(Worked::Ended(Attempt::ended(Ended::TimedOut))),
                Stepped::Lost => return Ok(Worked::Left),
            };
            if step.done.is_some() {
                return Ok(Worked::Ended(Attempt::done(step)));
            }
            match self.save(&step).await? {
                Saved::Yes(run) => self.run = *run,
                Saved::Lost => return Ok(Worked::Left),
            }
            if self.run.cancel_requested_at.is_some() {
                return Ok(Worked::Ended(Attempt::ended(Ended::Cancelled)));
            }
            if self.plane.now() >= time_is_up {
                return Ok(Worked::Ended(Attempt::ended(Ended::TimedOut)));
            }
            if self.plane.is_stopping() {
                return Ok(Worked::Left);
            }
        }
    }

    /// One step of the engine, with the lease kept alive beside it.
    async fn step(
        &mut self,
        execution: &mut Execution,
        budget: &Budget,
        time_is_up: Timestamp,
    ) -> Result<Stepped, Error> {
        let step = execution.step(budget);
        tokio::pin!(step);
        let mut cancelled_for = Duration::ZERO;
        loop {
            let left = until(self.plane.now(), time_is_up);
            let look_again = RENEWAL.min(left.max(Duration::from_millis(10)));
            tokio::select! {
                made = &mut step => return Ok(Stepped::Made(Box::new(made))),
                () = tokio::time::sleep(look_again) => {}
            }
            if self.plane.now() >= time_is_up {
                return Ok(Stepped::TimedOut);
            }
            match self.renew().await? {
                Saved::Yes(run) => self.run = *run,
                Saved::Lost => return Ok(Stepped::Lost),
            }
            if self.run.cancel_requested_at.is_some() {
                cancelled_for += look_again;
                if cancelled_for > CANCEL_GRACE {
                    return Ok(Stepped::Cancelled);
                }
            }
        }
    }

    fn renewed(&self) -> Run {
        let mut after = self.run.clone();
        after.lease = Some(Lease { holder: self.plane.workers.me.clone(), until: self.plane.now() + LEASE });
        after
    }

    async fn renew(&self) -> Result<Saved, Error> {
        let after = self.renewed();
        finish::save(self.plane, &self.run, after, |transaction, _| Ok(transaction)).await
    }

    /// Saves what a step made, all of it or nothing.
    async fn save(&self, step: &Step) -> Result<Saved, Error> {
        let mut after = self.renewed();
        after.deaths = 0;
        after.objects = step.counts.objects;
        let chunk = finish::log_chunk(&mut after, &step.log)?;
        let trace = finish::trace_chunk(&mut after, &step.traced, self.plane.now())?;
        let checkpoint = serde_json::to_string(&step.checkpoint).map_err(Error::internal)?;
        finish::save(self.plane, &self.run, after, |transaction, run| {
            let transaction = finish::with_log(transaction, run, chunk.as_ref())?;
            let transaction = finish::with_trace(transaction, run, trace.as_ref(), self.plane.now())?;
            let transaction =
                finish::with_keys(transaction, &run.owner, &run.deployment, &step.new_keys, self.plane.now())?;
            let saved = tidemill_store::Checkpoint(checkpoint.clone());
            Ok(transaction.checkpoint(run, &saved, run.queued_at + HISTORY)?)
        })
        .await
    }
}

/// What came of a step.
enum Stepped {
    Made(Box<Result<Step, tidemill_engine::Error>>),
    Cancelled,
    TimedOut,
    Lost,
}

/// Why an execution did not start.
enum Start {
    /// The run fails by it.
    Engine(tidemill_engine::Error),
    /// The plane is at fault, and the run is tried again.
    Plane(Error),
}

impl From<Error> for Start {
    fn from(error: Error) -> Start {
        Start::Plane(error)
    }
}

async fn input(plane: &Plane, run: &Run) -> Result<RunInput, Error> {
    let Some(sha256) = &run.input else { return Ok(RunInput::Nothing) };
    let body = plane.store.body(&run.owner, run.deployment.project(), sha256).await?;
    let body = body.ok_or_else(|| Error::internal("a run's input is missing"))?;
    serde_json::from_slice(&body).map(RunInput::Whole).map_err(Error::internal)
}

/// The owner's secrets and, for a task, its caller's variables.
async fn secrets(
    plane: &Plane,
    run: &Run,
    plan: &Plan,
    task: Option<&Task>,
) -> Result<BTreeMap<String, SecretString>, Error> {
    let mut opened = preparation::secrets(plane, &run.owner, plan).await?;
    if let Some(task) = task {
        opened.extend(preparation::variables(plane, task).await?);
    }
    Ok(opened)
}

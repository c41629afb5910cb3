//! A timer rang for a deployment.
//!
//! Which minutes are due is told by the table alone: those after the last one that has its outcome, up to now. One
//! transaction gives each of them its outcome and makes the run of the last one, so a bell that rings twice finds
//! nothing to do, and one that was lost is made up for by the next.

use crate::bell::Bell;
use crate::deployment::change::{HISTORY, Retry, audit, due, touched, with_change};
use crate::error::Error;
use crate::plane::{Plane, due_schedule};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use tidemill_model::audit::Operation;
use tidemill_model::deployment::Deployment;
use tidemill_model::deployment_id::{DeploymentId, EnvironmentSource};
use tidemill_model::ids::{OwnerId, RunId};
use tidemill_model::run::{Run, State, Trigger};
use tidemill_model::tick::{Missed, Outcome, Skipped, Stretch};
use tidemill_store::{Notice, Part};

/// How far a timer's clock may be ahead of ours.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// Takes the due ticks of a deployment. `rang_for` is the minute that the timer says it rings for.
///
/// Gives the next due instant, or `None` when the deployment needs no timer any more.
pub async fn run(
    plane: &Plane,
    owner: &OwnerId,
    id: &DeploymentId,
    rang_for: Option<Timestamp>,
) -> Result<Option<Timestamp>, Error> {
    let mut retry = Retry::new();
    loop {
        let Some(before) = plane.store.deployment(owner, id).await? else { return Ok(None) };
        let Some(schedule) = due_schedule(&before) else { return Ok(None) };
        let now = plane.now();
        let until = rang_for.filter(|at| *at <= now + CLOCK_TOLERANCE).unwrap_or(now).max(now);
        let next = plane.calendar.next_tick(schedule, until.max(before.ticked_until));
        let Some((first, last)) = due(plane, &before, until) else {
            ring_waiting(plane, &before).await?;
            return Ok(next);
        };
        let taking = Taking { plane, before: &before, first, last, now };
        match taking.take().await? {
            Taken::Written => return Ok(next),
            Taken::Stopped => return Ok(None),
            Taken::Rejected(error) => retry.again(plane, error, Part::Deployment).await?,
        }
    }
}

/// A process may have died between making a run and ringing for it: the bell that comes again rings it.
async fn ring_waiting(plane: &Plane, deployment: &Deployment) -> Result<(), Error> {
    let Some(current) = &deployment.current else { return Ok(()) };
    let found = plane.store.run(&deployment.owner, &deployment.id, current).await?;
    if found.is_some_and(|run| run.state == State::Queued && run.not_before.is_none()) {
        plane.ring(run_bell(deployment, current), Duration::ZERO).await;
    }
    Ok(())
}

fn run_bell(deployment: &Deployment, run: &RunId) -> Bell {
    Bell::Run { owner: deployment.owner.clone(), deployment: deployment.id.clone(), run: run.clone() }
}

/// Due ticks, from the first to the last, that are being given their outcome.
struct Taking<'a> {
    plane: &'a Plane,
    before: &'a Deployment,
    first: Timestamp,
    last: Timestamp,
    now: Timestamp,
}

enum Taken {
    Written,
    /// The deployment is errored from now on.
    Stopped,
    Rejected(tidemill_store::Error),
}

impl Taking<'_> {
    async fn take(&self) -> Result<Taken, Error> {
        let key = self.plane.store.key(&self.before.owner, &self.before.key).await?;
        if !key.is_some_and(|key| key.is_live(self.now)) {
            return self.stop().await;
        }
        let mut stretches = Vec::new();
        let in_window = self.split_late(&mut stretches);
        let run = match in_window {
            None => None,
            Some(first) => match self.going().await? {
                Some(going) => {
                    stretches.push(self.stretch(first, self.last, Outcome::Skipped(Skipped::Overlap { run: going })));
                    None
                }
                None => Some(self.new_run(first, &mut stretches)),
            },
        };
        self.write(run, &stretches).await
    }

    /// Records what is later than the catch-up window, and gives the first tick that is within it.
    ///
    /// A tick of the last minute is on time, whatever the window.
    fn split_late(&self, stretches: &mut Vec<Stretch>) -> Option<Timestamp> {
        let calendar = &self.plane.calendar;
        let window = calendar.scaled(self.before.settings.catch_up()).max(calendar.minute());
        let Ok(bound) = self.now.checked_sub(window) else { return Some(self.first) };
        if self.first >= bound {
            return Some(self.first);
        }
        let late = |last| self.stretch(self.first, last, Outcome::Missed(Missed::TooLate));
        if self.last < bound {
            stretches.push(late(self.last));
            return None;
        }
        let last_late = calendar.previous_tick(&self.before.schedule, bound).unwrap_or(self.first);
        stretches.push(late(last_late));
        calendar.next_tick(&self.before.schedule, last_late)
    }

    /// The run that is going, if one is.
    async fn going(&self) -> Result<Option<RunId>, Error> {
        let Some(current) = &self.before.current else { return Ok(None) };
        let found = self.plane.store.run(&self.before.owner, &self.before.id, current).await?;
        Ok(found.filter(|run| !run.state.is_final()).map(|run| run.id))
    }

    /// The run of the last tick. Earlier ones within the window are caught up by it: a deployment that was down for
    /// ten minutes runs once, not ten times in a row.
    fn new_run(&self, first: Timestamp, stretches: &mut Vec<Stretch>) -> Run {
        let Taking { plane, before, .. } = self;
        let previous = plane.calendar.previous_tick(&before.schedule, self.last);
        let mut run = new_run(plane, before, Trigger::Schedule, self.now);
        run.tick = Some(self.last);
        run.previous_tick = previous;
        if let Some(last_caught_up) = previous.filter(|previous| *previous >= first) {
            let outcome = Outcome::Missed(Missed::CaughtUp { run: run.id.clone() });
            stretches.push(self.stretch(first, last_caught_up, outcome));
        }
        run
    }

    async fn write(&self, run: Option<Run>, stretches: &[Stretch]) -> Result<Taken, Error> {
        let Taking { plane, before, .. } = self;
        let mut after = (*before).clone();
        after.revision += 1;
        after.ticked_until = self.last;
        let expires = self.now + HISTORY;
        let mut transaction = plane.store.transaction();
        if let Some(run) = &run {
            after.current = Some(run.id.clone());
            transaction = transaction.new_run(run, expires)?;
        }
        transaction = transaction.deployment(&after, before.revision)?;
        for stretch in stretches {
            transaction = transaction.stretch(&before.owner, &before.id, stretch, expires)?;
        }
        match transaction.commit().await {
            Ok(()) => {
                if let Some(run) = run {
                    plane.ring(run_bell(before, &run.id), Duration::ZERO).await;
                }
                Ok(Taken::Written)
            }
            Err(error) => Ok(Taken::Rejected(error)),
        }
    }

    /// The key that the deployment runs under was revoked or has expired.
    async fn stop(&self) -> Result<Taken, Error> {
        let Taking { plane, before, .. } = self;
        let mut after = touched(before, self.now);
        let reason = "the key that it was deployed with was revoked or has expired";
        if after.fail(reason, self.now).is_err() {
            return Ok(Taken::Stopped);
        }
        after.ticked_until = self.last;
        let stretch = self.stretch(self.first, self.last, Outcome::Skipped(Skipped::Errored));
        let audit = audit(plane, Operation::DeploymentTick, None, &after, self.now);
        let mut transaction = with_change(plane.store.transaction(), before, &after, Some(&stretch), &audit)?;
        if let Some(EnvironmentSource { project, environment, .. }) = after.id.environment_source() {
            let (project, environment, operation) = (project.clone(), environment.clone(), audit.operation.clone());
            let notice =
                Notice { id: audit.id.clone(), project, environment: Some(environment), operation, went_back: false };
            transaction = transaction.notice(&after.owner, &notice, self.now)?;
        }
        match transaction.commit().await {
            Ok(()) => {
                tracing::warn!(project.id = %after.id, "project `{}` is errored: {reason}", after.id);
                plane.follow(&after).await;
                Ok(Taken::Stopped)
            }
            Err(error) => Ok(Taken::Rejected(error)),
        }
    }

    fn stretch(&self, first: Timestamp, last: Timestamp, outcome: Outcome) -> Stretch {
        Stretch { first, last, schedule: self.before.schedule.clone(), outcome }
    }
}

/// A queued run of a deployment's live version.
pub(crate) fn new_run(plane: &Plane, deployment: &Deployment, trigger: Trigger, now: Timestamp) -> Run {
    let id = RunId::new(now, plane.ambient.random_u128());
    Run {
        version: deployment.version,
        trigger,
        max_attempts: deployment.settings.max_attempts,
        timeout_seconds: deployment.settings.timeout_seconds,
        plan_sha256: deployment.plan_sha256.clone(),
        ..Run::queued(id, deployment.owner.clone(), deployment.id.clone(), now)
    }
}

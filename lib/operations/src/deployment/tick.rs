//! Answers the bell of a timer.
//!
//! Which minutes are due follows from the table alone: those after the last one that has its outcome, up to now. One
//! transaction gives each of them its outcome and makes the run of the last one, so a bell that rings twice finds
//! nothing to do, and one that was lost is made up for by the next. [`decide`] has the rules.
//!
//! Where pipelines are executed in the process of the plane, as in a function, a run that is likely to be short is claimed by the
//! transaction that makes it, and executed at once. It needs no bell, unless it takes longer than [`HERE`].

use crate::deployment::ahead::{Turn, turn};
use crate::deployment::change::{Retry, audit, with_change};
use crate::error::Error;
use crate::lease::granted;
use crate::plane::Plane;
use crate::run::turn::{bell, latest};
use crate::run::worker::RunWorker;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tidemill_model::audit::Operation;
use tidemill_model::deployment::Deployment;
use tidemill_model::deployment_id::{DeploymentId, EnvironmentSource};
use tidemill_model::ids::{OwnerId, RunId};
use tidemill_model::retention::HISTORY;
use tidemill_model::run::Run;
use tidemill_model::sweep::Patience;
use tidemill_model::tick::{CLOCK_TOLERANCE, Decision, Due, Situation, decide};
use tidemill_store::{Held, Notice, Part, Transaction};
use tokio::sync::Notify;

/// How long a run may be executed where its minute was decided, before it goes on at its bell.
const HERE: Duration = Duration::from_secs(10);

/// A run that was claimed by the transaction that made it, and what is notified when it is to be cancelled.
type InHand = (Held<Run>, Arc<Notify>);

/// Where a run that is made is executed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Here, if it is likely to be short.
    Here,
    /// By the worker that answers its bell.
    AtItsBell,
}

/// Gives the due minutes of a deployment their outcomes. `rang_for` is the minute that the timer says it rings for.
///
/// Gives the next due instant, or `None` when the deployment needs no timer any more.
pub async fn run(
    plane: &Plane,
    owner: &OwnerId,
    id: &DeploymentId,
    rang_for: Option<Timestamp>,
) -> Result<Option<Timestamp>, Error> {
    let mut in_hand = None;
    let next = decided(plane, owner, id, rang_for, Place::Here, &mut in_hand).await;
    if let Some((run, cancelled)) = in_hand {
        RunWorker::of(plane, run, cancelled).for_at_most(HERE).work().await?;
    }
    next
}

/// Gives the due minutes their outcomes, and takes the run in hand that is to be executed here.
async fn decided(
    plane: &Plane,
    owner: &OwnerId,
    id: &DeploymentId,
    rang_for: Option<Timestamp>,
    place: Place,
    in_hand: &mut Option<InHand>,
) -> Result<Option<Timestamp>, Error> {
    let mut retry = Retry::new();
    loop {
        let Some(before) = plane.store.deployment(owner, id).await? else { return Ok(None) };
        let Some(schedule) = before.due_schedule() else { return Ok(None) };
        let now = plane.now();
        let until = rang_for.filter(|at| *at <= now + CLOCK_TOLERANCE).unwrap_or(now).max(now);
        let next = plane.calendar.next_tick(schedule, until.max(before.ticked_until));
        let Some(due) = Due::of(&plane.calendar, &before, until) else {
            ring_if_left(plane, latest(plane, &before).await?.as_ref()).await;
            return Ok(next);
        };
        let due_now = match turn(plane, &before, due).await? {
            Turn::Decide(due_now) => due_now,
            Turn::PassOver(minute) => {
                pass_over(plane, &before, minute, &mut retry).await?;
                continue;
            }
        };
        let (mut decision, is_short) = decision(plane, &before, due_now, now).await?;
        let is_stopped = decision.deployment.due_schedule().is_none();
        let is_here = place == Place::Here && is_short && !plane.engine.is_apart() && !plane.is_stopping();
        let carried = if is_here { carried(plane, &mut decision) } else { None };
        match write(written(plane, &before, &decision, now)?, decision.run.as_ref(), carried).await {
            Ok(held) => {
                follow_up(plane, &decision).await;
                *in_hand = held.or(in_hand.take());
                if is_stopped || due_now == due {
                    return Ok(next.filter(|_| !is_stopped));
                }
            }
            Err(error) => retry.again(plane, error, Part::Deployment).await?,
        }
    }
}

/// Ticks off a minute that has run before its time.
async fn pass_over(plane: &Plane, before: &Deployment, minute: Timestamp, retry: &mut Retry) -> Result<(), Error> {
    let after = before.passed_over(minute);
    match plane.store.transaction().deployment(&after, before.revision)?.commit().await {
        Ok(()) => Ok(()),
        Err(error) => retry.again(plane, error, Part::Deployment).await,
    }
}

/// A deployment that is about to be changed, once a minute that has just become due has its run.
///
/// A timer may ring up to a minute late, and what was due under the definition of before is not dropped for that. An older
/// minute's bell was lost; the ledger shows it as skipped by the change.
pub async fn ticked(plane: &Plane, before: Deployment) -> Result<Deployment, Error> {
    let now = plane.now();
    let patience = Patience::Usual.for_ticks();
    let due = before.due_schedule().and_then(|_| Due::of(&plane.calendar, &before, now));
    if due.is_none_or(|due| due.last + patience <= now) {
        return Ok(before);
    }
    decided(plane, &before.owner, &before.id, None, Place::AtItsBell, &mut None).await?;
    let after = plane.store.deployment(&before.owner, &before.id).await?;
    after.ok_or_else(|| Error::internal("a deployment is gone, not even its tombstone is left"))
}

/// A process may have died between making a run and ringing for it, or with the run in hand: the next bell of the minutes rings for it.
async fn ring_if_left(plane: &Plane, latest: Option<&Run>) {
    let is_left = |run: &&Run| run.not_before.is_none() && run.may_be_claimed(plane.now(), plane.workers.this());
    if let Some(run) = latest.filter(is_left) {
        plane.ring(bell(run), Duration::ZERO).await;
    }
}

/// Reads what the outcomes depend on, and decides them. Also whether the run that is made is likely to be a short one.
async fn decision(plane: &Plane, before: &Deployment, due: Due, now: Timestamp) -> Result<(Decision, bool), Error> {
    let key = plane.store.key(&before.owner, &before.key).await?;
    let mut situation = Situation {
        calendar: &plane.calendar,
        deployment: before,
        due,
        has_live_key: key.is_some_and(|key| key.is_live(now)),
        going: None,
        run: RunId::new(now, plane.ambient.random_u128()),
        now,
    };
    let latest = match situation.has_minutes_in_time() {
        true => latest(plane, before).await?,
        false => None,
    };
    ring_if_left(plane, latest.as_ref()).await;
    situation.going = latest.as_ref().filter(|run| !run.state.is_final()).map(|run| &run.id);
    let is_short = latest.as_ref().is_some_and(|run| run.was_short() && run.version == Some(before.version));
    Ok((decide(&situation), is_short))
}

/// Lets the deployment carry the run that is made, so that the write that makes it claims it, too. It has a record of its own only once
/// there is something to be saved: a short run costs two writes.
fn carried(plane: &Plane, decision: &mut Decision) -> Option<(Run, Arc<Notify>)> {
    let run = decision.run.take()?;
    // Before the claim, so that no request falls between the two.
    let cancelled = plane.memory.cancels.of(&run.id);
    let head = decision.deployment.clone().carrying(run.taken(granted(plane), plane.now()));
    let run = head.carried.as_deref().cloned()?;
    decision.deployment = head;
    Some((run, cancelled))
}

/// Writes what was decided together with the run that is made. Gives the run that is in hand by that.
async fn write(
    transaction: Transaction<'_>,
    run: Option<&Run>,
    carried: Option<(Run, Arc<Notify>)>,
) -> Result<Option<InHand>, tidemill_store::Error> {
    let transaction = match run {
        Some(run) => transaction.new_run(run)?,
        None => transaction,
    };
    let Some((run, cancelled)) = carried else { return transaction.commit().await.map(|()| None) };
    // Watchers see it at its first save, or at its end: it is likely to be short.
    let held = transaction.with_carried(run).commit().await?;
    Ok(Some((held, cancelled)))
}

/// What was decided but the run.
fn written<'a>(
    plane: &'a Plane,
    before: &Deployment,
    decision: &Decision,
    now: Timestamp,
) -> Result<Transaction<'a>, Error> {
    let Decision { deployment: after, stretches, .. } = decision;
    let mut transaction = plane.store.transaction();
    if after.state != before.state {
        return with_stop(plane, transaction, before, decision, now);
    }
    transaction = transaction.deployment(after, before.revision)?;
    for stretch in stretches {
        transaction = transaction.stretch(&after.owner, &after.id, stretch, now + HISTORY)?;
    }
    Ok(transaction)
}

/// Adds to a transaction that the deployment is errored from now on, which its audit row and its project's notices show.
fn with_stop<'a>(
    plane: &Plane,
    transaction: Transaction<'a>,
    before: &Deployment,
    decision: &Decision,
    now: Timestamp,
) -> Result<Transaction<'a>, Error> {
    let after = &decision.deployment;
    let audit = audit(plane, Operation::DeploymentTick, None, after, now);
    let transaction = with_change(transaction, before, after, decision.stretches.first(), &audit)?;
    let Some(source) = after.id.environment_source() else { return Ok(transaction) };
    let EnvironmentSource { project, environment, .. } = source.clone();
    let notice = Notice {
        id: audit.id.clone(),
        project,
        environment: Some(environment),
        operation: audit.operation.clone(),
        went_back: false,
    };
    Ok(transaction.notice(&after.owner, &notice, now)?)
}

/// Rings for the run that was made and is not in hand, or lets the timers follow a deployment that was stopped.
async fn follow_up(plane: &Plane, decision: &Decision) {
    let after = &decision.deployment;
    if let Some(run) = &decision.run {
        plane.ring(bell(run), Duration::ZERO).await;
    }
    if let tidemill_model::deployment::State::Errored { reason, .. } = &after.state {
        tracing::warn!(project.id = %after.id, "project `{}` is errored: {reason}", after.id);
        plane.follow(after).await;
    }
}

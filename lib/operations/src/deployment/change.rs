//! Changing a deployment: read it, decide, and write on condition that it has not moved on; else decide again.

use crate::error::{Code, Error};
use crate::hint::Noun;
use crate::plane::{Call, Plane};
use crate::run::open::ring_released;
use jiff::Timestamp;
use std::time::Duration;
use tidemill_model::audit::Operation;
use tidemill_model::deployment::{Deployment, Refused, Settings, State};
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::ids::{HookId, OwnerId, ProjectId, RunId};
use tidemill_model::retention::HISTORY;
use tidemill_model::schedule::Schedule;
use tidemill_model::tick::{Due, Outcome, Skipped, Stretch};
use tidemill_model::unknown::Unknown;
use tidemill_model::wrong::{self, Mistake};
use tidemill_store::{Audit, Part, Transaction};

/// How often a change that met another one decides again. Each round has a winner, so this many changes at once can
/// all succeed.
const ROUNDS: u32 = 100;

/// Reads a deployment that is not removed.
pub async fn existing(plane: &Plane, owner: &OwnerId, project: &ProjectId) -> Result<Deployment, Error> {
    let found = plane.store.deployment(owner, &project.into()).await?;
    found.filter(|deployment| !deployment.state.is_removed()).ok_or_else(|| Error::not_found(Noun::Project, project))
}

/// Counts the rounds of a change and spreads those that collide.
pub struct Retry(u32);

impl Retry {
    pub fn new() -> Retry {
        Retry(0)
    }

    /// Goes into the next round if a write was rejected because `part` had moved on; hands back any other error.
    pub async fn again(&mut self, plane: &Plane, error: tidemill_store::Error, part: Part) -> Result<(), Error> {
        self.0 += 1;
        if !error.rejects(part) || self.0 >= ROUNDS {
            return Err(error.into());
        }
        let longest = Duration::from_millis(u64::from(self.0.min(10)) * 2);
        tokio::time::sleep(longest.mul_f64(plane.ambient.jitter())).await;
        Ok(())
    }
}

/// The record of a new deployment: active, without a version or a schedule.
pub fn fresh_record(plane: &Plane, call: &Call, id: DeploymentId) -> Deployment {
    Deployment {
        owner: call.owner.clone(),
        id,
        state: State::Active,
        schedule: Schedule::MANUAL,
        ticked_until: call.now,
        ran_ahead: None,
        version: 0,
        last_version: 0,
        plan_sha256: None,
        hook: HookId::new(plane.ambient.random_u128()),
        key: call.key.clone(),
        settings: Settings::default(),
        group: None,
        revision: 1,
        current: None,
        carried: None,
        waiting: None,
        settled: None,
        created_at: call.now,
        updated_at: call.now,
        unknown: Unknown::default(),
    }
}

/// A deployment of a project that was removed. What belongs to the project rather than to one life of its deployment
/// goes on: the numbers of versions, the hook, the revision, and which run went last.
pub fn revived(plane: &Plane, call: &Call, tombstone: &Deployment) -> Deployment {
    let before = touched(tombstone, call.now);
    Deployment {
        hook: if wrong::is(Mistake::HookForgotten) { HookId::new(plane.ambient.random_u128()) } else { before.hook },
        revision: before.revision,
        current: before.current,
        carried: before.carried,
        waiting: before.waiting,
        last_version: before.last_version,
        ticked_until: before.ticked_until.max(call.now),
        ran_ahead: before.ran_ahead,
        unknown: before.unknown,
        ..fresh_record(plane, call, before.id)
    }
}

/// Moves a deployment to its next revision.
pub fn touched(before: &Deployment, now: Timestamp) -> Deployment {
    let mut after = before.clone();
    after.revision += 1;
    after.updated_at = now;
    after
}

/// Accounts for the ticks that were due under the definition that ends now, so that none of them can be accepted
/// afterwards, and none is lost from the ledger.
pub fn settle(plane: &Plane, before: &Deployment, after: &mut Deployment, now: Timestamp) -> Option<Stretch> {
    let stretch = unsettled(plane, before, now);
    after.ticked_until = before.ticked_until.max(now);
    stretch
}

/// The ticks of a deployment that are due and have no outcome in the table yet. While it is paused or errored no bell
/// rings: their outcome follows from its state, and is written when that changes.
pub fn unsettled(plane: &Plane, deployment: &Deployment, now: Timestamp) -> Option<Stretch> {
    let outcome = match deployment.state {
        State::Active => Skipped::Changed,
        State::Paused { .. } => Skipped::Paused,
        State::Errored { .. } => Skipped::Errored,
        State::Removed { .. } => return None,
    };
    let due = Due::of(&plane.calendar, deployment, now).filter(|_| !wrong::is(Mistake::TicksForgotten));
    due.map(|Due { first, last }| Stretch {
        first,
        last,
        schedule: deployment.schedule.clone(),
        outcome: Outcome::Skipped(outcome),
    })
}

/// The audit row of a change.
pub fn audit(plane: &Plane, operation: Operation, call: Option<&Call>, after: &Deployment, now: Timestamp) -> Audit {
    Audit {
        id: RunId::new(now, plane.ambient.random_u128()),
        owner: after.owner.clone(),
        deployment: after.id.clone(),
        operation,
        key: call.map(|call| call.key.clone()),
        at: now,
        state: after.state.status(),
        schedule: after.schedule.clone(),
        version: after.version,
        note: match &after.state {
            State::Paused { note, .. } => note.clone(),
            State::Errored { reason, .. } => Some(reason.clone()),
            _ => None,
        },
    }
}

/// Adds to a transaction what every change of a deployment writes: the record, the ledger's row and the audit row.
pub fn with_change<'a>(
    transaction: Transaction<'a>,
    before: &Deployment,
    after: &Deployment,
    settled: Option<&Stretch>,
    audit: &Audit,
) -> Result<Transaction<'a>, Error> {
    let mut transaction = transaction.deployment(after, before.revision)?.audit(audit)?;
    if let Some(stretch) = settled {
        transaction = transaction.stretch(&after.owner, &after.id, stretch, audit.at + HISTORY)?;
    }
    Ok(transaction)
}

/// Changes a deployment's state by `change`; the shape that pause, resume and remove share.
pub async fn change_state(
    plane: &Plane,
    call: &Call,
    operation: Operation,
    project: &ProjectId,
    mut change: impl FnMut(&mut Deployment) -> Result<(), Refused>,
) -> Result<Deployment, Error> {
    let mut retry = Retry::new();
    loop {
        let before = existing(plane, &call.owner, project).await?;
        let call = &call.after(plane, before.updated_at);
        let mut after = touched(&before, call.now);
        change(&mut after).map_err(|refused| self::refused(project, refused))?;
        if after.state == before.state {
            return Ok(before);
        }
        let settled = settle(plane, &before, &mut after, plane.now());
        let audit = audit(plane, operation.clone(), Some(call), &after, call.now);
        let transaction = with_change(plane.store.transaction(), &before, &after, settled.as_ref(), &audit)?;
        match transaction.commit().await {
            Ok(()) => {
                plane.follow(&after).await;
                ring_released(plane, &before, &after).await;
                return Ok(after);
            }
            Err(error) => retry.again(plane, error, Part::Deployment).await?,
        }
    }
}

fn refused(project: &ProjectId, refused: Refused) -> Error {
    match refused {
        Refused::Removed => Error::not_found(Noun::Project, project),
        Refused::Errored => {
            Error::new(Code::FailedPrecondition, format!("project `{project}` is errored and does not run anyway"))
                .hint("resume it with a valid key, or remove it")
        }
    }
}

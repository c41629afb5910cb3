//! Begins a rollout: one transaction gives it the group and makes its record, and a worker does the rest.
//!
//! A group has one rollout at a time. The request is stored first, and a refusal changes nothing.

use crate::bell::Bell;
use crate::deployment::change::Retry;
use crate::error::{Code, Detail, Error};
use crate::hint::Hint;
use crate::idempotency::{Answer, Idempotency};
use crate::plane::{Call, Plane};
use crate::rollout::answer::RolloutAnswer;
use crate::rollout::problems::{cannot_run, placed};
use crate::rollout::request::{CheckedPipeline, Request, bounded};
use std::collections::BTreeMap;
use std::time::Duration;
use tidemill_model::ids::{GroupName, RolloutId};
use tidemill_model::retention::HISTORY;
use tidemill_model::rollout::{Group, Purpose, Rollout, State, Step};
use tidemill_model::unknown::Unknown;
use tidemill_model::version::sha256;
use tidemill_store::Part;

/// A rollout to begin.
pub(crate) struct NewRollout {
    /// The operation that it belongs to: an idempotency key is good for one.
    pub operation: &'static str,
    pub purpose: Purpose,
    pub group: GroupName,
    pub request: Request,
    /// How many resources the request has.
    pub resources: u32,
}

/// Why a rollout did not begin.
#[derive(Debug)]
pub enum RolloutRefusal {
    /// The group has another active rollout.
    GroupBusy(Box<Rollout>),
    Error(Error),
}

impl From<Error> for RolloutRefusal {
    fn from(error: Error) -> RolloutRefusal {
        RolloutRefusal::Error(error)
    }
}

impl From<tidemill_store::Error> for RolloutRefusal {
    fn from(error: tidemill_store::Error) -> RolloutRefusal {
        RolloutRefusal::Error(error.into())
    }
}

impl From<RolloutRefusal> for Error {
    fn from(refusal: RolloutRefusal) -> Error {
        match refusal {
            RolloutRefusal::Error(error) => error,
            RolloutRefusal::GroupBusy(active) => {
                let message = format!("rollout `{}` of `{}` is still running", active.id, active.group);
                let detail = Detail {
                    component: None,
                    field: Some("rollout".to_owned()),
                    message: active.id.to_string(),
                    hint: None,
                };
                let hint = Hint::WaitForRollout(active.id);
                Error::new(Code::AlreadyExists, message).hint(hint).details(vec![detail])
            }
        }
    }
}

/// A rollout that has begun.
#[derive(Debug)]
pub struct StartedRollout {
    pub rollout: Rollout,
    /// What is probably not meant with its pipelines.
    pub warnings: Vec<Detail>,
}

/// What is probably not meant with each pipeline, by its place in the request.
async fn warnings(plane: &Plane, call: &Call, checked: &[CheckedPipeline]) -> Result<Vec<Detail>, Error> {
    let (mut warnings, mut known) = (Vec::new(), BTreeMap::new());
    for (index, one) in checked.iter().enumerate() {
        let mut found = one.definition.warnings();
        found.extend(one.definition.unset_secrets(plane, &call.owner, &mut known).await?);
        warnings.extend(found.into_iter().map(|warning| placed(&one.named, index, warning)));
    }
    Ok(bounded(warnings))
}

pub(crate) fn answered(begun: Answer<StartedRollout>) -> Answer<RolloutAnswer> {
    match begun {
        Answer::Now(StartedRollout { rollout, warnings }) => {
            Answer::Now(RolloutAnswer { warnings, ..RolloutAnswer::of(rollout) })
        }
        Answer::Before(answer) => Answer::Before(answer),
    }
}

/// Begins a rollout, or finds what the same request began before.
pub(crate) async fn begin(
    plane: &Plane,
    call: &Call,
    new: NewRollout,
) -> Result<Answer<StartedRollout>, RolloutRefusal> {
    let NewRollout { operation, purpose, group, mut request, resources } = new;
    let (git, cut) = request.git.take().unwrap_or_default().cut();
    let title = request.title.clone();
    let repository = request.repository.clone();
    // A group without a name from the caller only serializes the rollouts of one project.
    let is_hidden = request.group.replace(group.clone()).is_none();
    let body = request.stored()?;
    let once = Idempotency::of(call, operation, &[&sha256(&body)])?;
    if let Some(once) = &once
        && let Some(answer) = once.earlier(plane, call).await?
    {
        return Ok(Answer::Before(answer));
    }
    // What can never run does not wait for the group.
    let named = request.named()?;
    let checked = request.checked(plane, &named).map_err(|problems| cannot_run(&named, &problems))?;
    let warnings = warnings(plane, call, &checked).await?;
    let id = RolloutId::new(call.now, plane.ambient.random_u128());
    let mut rollout = Rollout {
        // Stored once the group is free: most refusals are for the rollout that has it.
        request_sha256: String::new(),
        id,
        owner: call.owner.clone(),
        group,
        purpose,
        state: State::Pending,
        step: Step::Wait,
        resources,
        settled: 0,
        progress: 0,
        git,
        cut: cut.into_iter().map(str::to_owned).collect(),
        key: call.key.clone(),
        created_at: call.now,
        started_at: None,
        ended_at: None,
        cancel_requested_at: None,
        error: None,
        lease: None,
        epoch: 0,
        attempts: 0,
        deaths: 0,
        begun: 0,
        rung: None,
    };
    let expires = call.now + HISTORY;
    let mut retry = Retry::new();
    loop {
        let before = plane.store.group(&call.owner, &rollout.group).await?;
        if let Some(active) = active_rollout(plane, call, before.as_ref()).await? {
            let earlier = match &once {
                Some(once) => once.earlier(plane, call).await?,
                None => None,
            };
            return earlier.map(Answer::Before).ok_or_else(|| RolloutRefusal::GroupBusy(Box::new(active)));
        }
        if rollout.request_sha256.is_empty() {
            rollout.request_sha256 = plane.store.put_rollout_request(&rollout.id, &body, expires).await?;
        }
        let after = with_active(before.as_ref(), &rollout, title.as_deref(), repository.as_deref(), is_hidden);
        let revision = before.map_or(0, |group| group.revision);
        let mut transaction = plane.store.transaction().group(&after, revision)?.new_rollout(&rollout, expires)?;
        if let Some(once) = &once {
            let answer = RolloutAnswer { warnings: warnings.clone(), ..RolloutAnswer::of(rollout.clone()) };
            transaction = once.remember(transaction, call, &answer)?;
        }
        match transaction.commit().await {
            Ok(()) => {
                plane.ring(Bell::of_rollout(&rollout), Duration::ZERO).await;
                return Ok(Answer::Now(StartedRollout { rollout, warnings }));
            }
            Err(error) if error.rejects(Part::Idempotency) => {
                if let Some(once) = &once
                    && let Some(answer) = once.earlier(plane, call).await?
                {
                    return Ok(Answer::Before(answer));
                }
                retry.again(plane, error, Part::Idempotency).await?;
            }
            Err(error) => retry.again(plane, error, Part::Group).await?,
        }
    }
}

/// The rollout that has the group now.
async fn active_rollout(plane: &Plane, call: &Call, group: Option<&Group>) -> Result<Option<Rollout>, Error> {
    let Some(running) = group.and_then(|group| group.active_rollout.as_ref()) else { return Ok(None) };
    let found = plane.store.rollout(&call.owner, running).await?;
    if found.is_none() {
        tracing::error!(rollout.id = %running, "a group's active rollout does not exist; the group is free");
    }
    Ok(found)
}

/// The group with the rollout as its active one.
fn with_active(
    before: Option<&Group>,
    rollout: &Rollout,
    title: Option<&str>,
    repository: Option<&str>,
    is_hidden: bool,
) -> Group {
    let before = before.cloned().unwrap_or_else(|| Group {
        owner: rollout.owner.clone(),
        name: rollout.group.clone(),
        title: rollout.group.to_string(),
        repository: None,
        active_rollout: None,
        last: None,
        revision: 0,
        is_removed: is_hidden,
        created_at: rollout.created_at,
        updated_at: rollout.created_at,
        unknown: Unknown::default(),
    });
    Group {
        title: title.map_or(before.title, str::to_owned),
        repository: repository.map(str::to_owned).or(before.repository),
        active_rollout: Some(rollout.id.clone()),
        last: Some(rollout.id.clone()),
        revision: before.revision + 1,
        is_removed: before.is_removed && is_hidden,
        created_at: if before.is_removed { rollout.created_at } else { before.created_at },
        updated_at: rollout.created_at,
        ..before
    }
}

//! Begins a rollout: one transaction takes the group's only slot and makes the rollout's record; a worker does the
//! rest. What it is asked for is stored before, and nothing has changed when it is refused.

use crate::Operation;
use crate::bell::Bell;
use crate::deployment::change::{HISTORY, Rounds};
use crate::error::{Code, Detail, Error};
use crate::group;
use crate::idempotency::{Answer, Once};
use crate::plane::{Call, Plane};
use crate::rollout::answer::RolloutAnswer;
use crate::rollout::request::{Named, Request};
use std::time::Duration;
use tidemill_model::ids::{GroupName, RolloutId};
use tidemill_model::key::Scope;
use tidemill_model::rollout::{Group, Purpose, Rollout, State, Step};
use tidemill_model::version::sha256;
use tidemill_store::Part;

pub struct Start;

pub type Input = Request;

/// Why a rollout did not begin.
#[derive(Debug)]
pub enum Refused {
    /// Another one holds the slot.
    Held(Box<Rollout>),
    With(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Refused {
        Refused::With(error)
    }
}

impl From<tidemill_store::Error> for Refused {
    fn from(error: tidemill_store::Error) -> Refused {
        Refused::With(error.into())
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Error {
        match refused {
            Refused::With(error) => error,
            Refused::Held(holder) => {
                let message = format!("rollout `{}` of `{}` is still going on", holder.id, holder.group);
                let detail = Detail {
                    component: None,
                    field: Some("rollout".to_owned()),
                    message: holder.id.to_string(),
                    hint: None,
                };
                let hint = format!("wait for it, or cancel it with `tidemill rollout cancel {}`", holder.id);
                Error { details: vec![detail], ..Error::new(Code::AlreadyExists, message).hint(hint) }
            }
        }
    }
}

impl Operation for Start {
    const NAME: &'static str = "rollout_start";
    const SCOPE: Scope = Scope::Control;
    type Input = Input;
    type Output = Answer<RolloutAnswer>;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Self::Output, Error> {
        Ok(answered(start(plane, call, input).await?))
    }
}

/// Begins to bring pipelines live.
pub async fn start(plane: &Plane, call: &Call, request: Request) -> Result<Answer<Rollout>, Refused> {
    let named = request.named()?;
    let group = request.group(&named)?;
    begin(plane, call, Purpose::Deploy, group, request, &named).await
}

pub(crate) fn answered(begun: Answer<Rollout>) -> Answer<RolloutAnswer> {
    match begun {
        Answer::Now(rollout) => Answer::Now(RolloutAnswer::of(rollout)),
        Answer::Before(answer) => Answer::Before(answer),
    }
}

pub(crate) async fn begin(
    plane: &Plane,
    call: &Call,
    purpose: Purpose,
    group: GroupName,
    mut request: Request,
    named: &[Named],
) -> Result<Answer<Rollout>, Refused> {
    let (git, cut) = request.git.take().unwrap_or_default().cut();
    let title = request.title.clone();
    let repository = request.repository.clone();
    // One that its caller does not name is nothing but the slot of a project that is rolled out by itself.
    let is_hidden = request.group.replace(group.clone()).is_none();
    let body = request.stored()?;
    let operation = match purpose {
        Purpose::Deploy => Start::NAME,
        Purpose::Remove => group::Remove::NAME,
    };
    let once = Once::of(call, operation, &[&sha256(&body)])?;
    if let Some(once) = &once
        && let Some(answer) = once.earlier(plane, call).await?
    {
        return Ok(Answer::Before(answer));
    }
    let id = RolloutId::new(call.now, plane.ambient.random_u128());
    let mut rollout = Rollout {
        // Stored once the slot is free: most of those that are refused are refused for its holder.
        request_sha256: String::new(),
        id,
        owner: call.owner.clone(),
        group,
        purpose,
        state: State::Pending,
        step: Step::Wait,
        resources: named.len() as u32,
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
        rung: None,
    };
    let expires = call.now + HISTORY;
    let mut rounds = Rounds::new();
    loop {
        let before = plane.store.group(&call.owner, &rollout.group).await?;
        if let Some(holder) = holder(plane, call, before.as_ref()).await? {
            let earlier = match &once {
                Some(once) => once.earlier(plane, call).await?,
                None => None,
            };
            return earlier.map(Answer::Before).ok_or_else(|| Refused::Held(Box::new(holder)));
        }
        if rollout.request_sha256.is_empty() {
            rollout.request_sha256 = plane.store.put_rollout_request(&rollout.id, &body, expires).await?;
        }
        let after = taken(before.as_ref(), &rollout, title.as_deref(), repository.as_deref(), is_hidden);
        let revision = before.map_or(0, |group| group.revision);
        let mut transaction = plane.store.transaction().group(&after, revision)?.new_rollout(&rollout, expires)?;
        if let Some(once) = &once {
            transaction = once.remember(transaction, call, &RolloutAnswer::of(rollout.clone()))?;
        }
        match transaction.commit().await {
            Ok(()) => {
                plane.ring(bell(&rollout), Duration::ZERO).await;
                return Ok(Answer::Now(rollout));
            }
            Err(error) if error.rejects(Part::Idempotency) => {
                if let Some(once) = &once
                    && let Some(answer) = once.earlier(plane, call).await?
                {
                    return Ok(Answer::Before(answer));
                }
                rounds.again(plane, error, Part::Idempotency).await?;
            }
            Err(error) => rounds.again(plane, error, Part::Group).await?,
        }
    }
}

pub(crate) fn bell(rollout: &Rollout) -> Bell {
    Bell::Rollout { owner: rollout.owner.clone(), group: rollout.group.clone(), rollout: rollout.id.clone() }
}

/// Whoever holds the slot.
async fn holder(plane: &Plane, call: &Call, group: Option<&Group>) -> Result<Option<Rollout>, Error> {
    let Some(running) = group.and_then(|group| group.active_rollout.as_ref()) else { return Ok(None) };
    let found = plane.store.rollout(&call.owner, running).await?;
    if found.is_none() {
        tracing::error!(rollout.id = %running, "the rollout that holds a slot is not there; the slot is free");
    }
    Ok(found)
}

/// The group with its slot taken.
fn taken(
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

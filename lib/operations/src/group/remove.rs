//! Removes a group: a rollout that removes its members' deployments, or keeps them without the group.

use crate::Operation;
use crate::error::Error;
use crate::group::get::find;
use crate::idempotency::Answer;
use crate::plane::{Call, Plane};
use crate::rollout::answer::RolloutAnswer;
use crate::rollout::begin::{NewRollout, RolloutRefusal, StartedRollout, answered, begin};
use crate::rollout::request::Request;
use serde::Deserialize;
use tidemill_model::ids::GroupName;
use tidemill_model::key::Scope;
use tidemill_model::rollout::{Gone, Purpose};

pub struct Remove;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub group: GroupName,
    /// Keeps the deployments, as members no more.
    #[serde(default)]
    pub keep: bool,
}

impl Operation for Remove {
    const NAME: &'static str = "group_remove";
    const SCOPE: Option<Scope> = Some(Scope::Control);
    type Input = Input;
    type Output = Answer<RolloutAnswer>;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Self::Output, Error> {
        Ok(answered(remove(plane, call, input).await?))
    }
}

/// Begins to remove a group.
pub async fn remove(plane: &Plane, call: &Call, input: Input) -> Result<Answer<StartedRollout>, RolloutRefusal> {
    find(plane, call, &input.group).await?;
    let gone = if input.keep { Gone::Keep } else { Gone::Prune };
    let request = Request { gone, ..Request::default() };
    let (operation, purpose) = (Remove::NAME, Purpose::Remove);
    begin(plane, call, NewRollout { operation, purpose, group: input.group, request, resources: 0 }).await
}

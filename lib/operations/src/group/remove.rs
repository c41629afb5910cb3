//! Takes a group off: a rollout that removes its members' deployments, or lets them stay without it.

use crate::error::Error;
use crate::group::get::find;
use crate::idempotency::Answer;
use crate::plane::{Call, Plane};
use crate::rollout::answer::RolloutAnswer;
use crate::rollout::request::Request;
use crate::rollout::start::{Refused, answered, begin};
use serde::Deserialize;
use tidemill_model::ids::GroupName;
use tidemill_model::key::Scope;
use tidemill_model::rollout::{Gone, Purpose, Rollout};

pub struct Remove;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub group: GroupName,
    /// The deployments stay, and are members no more.
    #[serde(default)]
    pub keep: bool,
}

impl crate::Operation for Remove {
    const NAME: &'static str = "group_remove";
    const SCOPE: Scope = Scope::Control;
    type Input = Input;
    type Output = Answer<RolloutAnswer>;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Self::Output, Error> {
        Ok(answered(remove(plane, call, input).await?))
    }
}

/// Begins to take a group off.
pub async fn remove(plane: &Plane, call: &Call, input: Input) -> Result<Answer<Rollout>, Refused> {
    find(plane, call, &input.group).await?;
    let gone = if input.keep { Gone::Keep } else { Gone::Prune };
    begin(plane, call, Purpose::Remove, input.group, Request { gone, ..Request::default() }, &[]).await
}

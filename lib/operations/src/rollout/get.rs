//! One rollout, with what became of each resource.

use crate::Operation;
use crate::error::Error;
use crate::hint::Noun;
use crate::plane::{Call, Plane};
use crate::rollout::answer::RolloutAnswer;
use crate::rollout::follow::settled;
use serde::Deserialize;
use tidemill_model::ids::RolloutId;
use tidemill_model::key::Scope;
use tidemill_model::rollout::Rollout;

pub struct Get;

/// The input of operations that name nothing but a rollout.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub rollout: RolloutId,
}

impl Operation for Get {
    const NAME: &'static str = "rollout_get";
    const SCOPE: Option<Scope> = Some(Scope::Monitor);
    type Input = Input;
    type Output = RolloutAnswer;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<RolloutAnswer, Error> {
        let rollout = find(plane, call, &input.rollout).await?;
        let items = settled(plane, &rollout, Vec::new()).await?;
        Ok(RolloutAnswer { items: Some(items), ..RolloutAnswer::of(rollout) })
    }
}

/// Finds one of the caller's rollouts.
pub async fn find(plane: &Plane, call: &Call, id: &RolloutId) -> Result<Rollout, Error> {
    plane.store.rollout(&call.owner, id).await?.ok_or_else(|| Error::not_found(Noun::Rollout, id))
}

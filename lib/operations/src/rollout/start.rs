//! Starts a rollout that brings pipelines live.

use crate::Operation;
use crate::error::Error;
use crate::idempotency::Answer;
use crate::plane::{Call, Plane};
use crate::rollout::answer::RolloutAnswer;
use crate::rollout::begin::{NewRollout, RolloutRefusal, StartedRollout, answered, begin};
use crate::rollout::request::Request;
use tidemill_model::key::Scope;
use tidemill_model::rollout::Purpose;

pub struct Start;

pub type Input = Request;

impl Operation for Start {
    const NAME: &'static str = "rollout_start";
    const SCOPE: Option<Scope> = Some(Scope::Control);
    type Input = Input;
    type Output = Answer<RolloutAnswer>;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Self::Output, Error> {
        Ok(answered(start(plane, call, input).await?))
    }
}

/// Begins to bring pipelines live.
pub async fn start(plane: &Plane, call: &Call, request: Request) -> Result<Answer<StartedRollout>, RolloutRefusal> {
    let named = request.named()?;
    let group = request.group(&named)?;
    let resources = named.len() as u32;
    let new = NewRollout { operation: Start::NAME, purpose: Purpose::Deploy, group, request, resources };
    begin(plane, call, new).await
}

//! Cancels a rollout. Its worker stops after the resources in hand; what is live by then stays. Cancelling again, or
//! after the end, changes nothing.

use crate::bell::Bell;
use crate::error::Error;
use crate::plane::{Call, Plane};
use crate::rollout::answer::RolloutAnswer;
use crate::rollout::get;
use crate::rollout::get::find;
use std::time::Duration;
use tidemill_model::key::Scope;
use tidemill_store::Part;

pub struct Cancel;

pub type Input = get::Input;

impl crate::Operation for Cancel {
    const NAME: &'static str = "rollout_cancel";
    const SCOPE: Option<Scope> = Some(Scope::Control);
    type Input = Input;
    type Output = RolloutAnswer;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<RolloutAnswer, Error> {
        let rollout = match plane.store.cancel_rollout(&call.owner, &input.rollout, call.now).await {
            Ok(rollout) => {
                // Its first bell may be lost, and only the sweep would notice.
                plane.ring(Bell::of_rollout(&rollout), Duration::ZERO).await;
                rollout
            }
            Err(error) if error.rejects(Part::Rollout) => find(plane, call, &input.rollout).await?,
            Err(error) => return Err(error.into()),
        };
        Ok(RolloutAnswer::of(rollout))
    }
}

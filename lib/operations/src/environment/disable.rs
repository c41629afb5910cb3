//! Stops everything of an environment from being started. A run that is going goes on to its end; due ticks are skipped.

use crate::environment::change::{Change, OfEnvironment};
use crate::environment::get::EnvironmentAnswer;
use crate::error::Error;
use crate::plane::{Call, Plane};
use tidemill_model::audit;
use tidemill_model::environment::State;
use tidemill_model::key::Scope;

pub struct Disable;

impl crate::Operation for Disable {
    const NAME: &'static str = "environment_disable";
    const SCOPE: Option<Scope> = Some(Scope::Control);
    type Input = OfEnvironment;
    type Output = EnvironmentAnswer;

    async fn run(plane: &Plane, call: &Call, of: OfEnvironment) -> Result<EnvironmentAnswer, Error> {
        let change = Change::new(plane, call, &of, audit::Operation::EnvironmentDisable);
        Ok(EnvironmentAnswer::of(&change.make_state(State::Disabled).await?))
    }
}

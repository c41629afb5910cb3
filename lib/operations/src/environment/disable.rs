//! Stops everything of an environment from being started. A run that is going goes on to its end; due ticks are skipped.

use crate::environment::change::{Change, Incoming, OfEnvironment, there};
use crate::environment::get::EnvironmentAnswer;
use crate::error::Error;
use crate::plane::{Call, Plane};
use tidemill_model::audit;
use tidemill_model::environment::{Environment, State};
use tidemill_model::key::Scope;

pub struct Disable;

impl crate::Operation for Disable {
    const NAME: &'static str = "environment_disable";
    const SCOPE: Option<Scope> = Some(Scope::Control);
    type Input = OfEnvironment;
    type Output = EnvironmentAnswer;

    async fn run(plane: &Plane, call: &Call, of: OfEnvironment) -> Result<EnvironmentAnswer, Error> {
        let change = Change {
            plane,
            call,
            of: &of,
            operation: audit::Operation::EnvironmentDisable,
            source: None,
            incoming: Incoming::Nothing,
        };
        let edit = |_: &Call, before, _| Ok(Environment { state: State::Disabled, ..there(&of, before)? });
        Ok(EnvironmentAnswer::of(&change.make(edit).await?))
    }
}

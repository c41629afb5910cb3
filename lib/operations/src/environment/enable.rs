//! Lets an environment run again what is due in it, under the caller's key. Ticks of the meantime stay skipped.

use crate::environment::change::{Change, OfEnvironment};
use crate::environment::get::EnvironmentAnswer;
use crate::error::Error;
use crate::plane::{Call, Plane};
use tidemill_model::audit;
use tidemill_model::environment::State;
use tidemill_model::key::Scope;

pub struct Enable;

impl crate::Operation for Enable {
    const NAME: &'static str = "environment_enable";
    const SCOPE: Option<Scope> = Some(Scope::Control);
    type Input = OfEnvironment;
    type Output = EnvironmentAnswer;

    async fn run(plane: &Plane, call: &Call, of: OfEnvironment) -> Result<EnvironmentAnswer, Error> {
        let change = Change::new(plane, call, &of, audit::Operation::EnvironmentEnable);
        Ok(EnvironmentAnswer::of(&change.make_state(State::Enabled).await?))
    }
}

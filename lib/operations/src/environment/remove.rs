//! Takes a project out of an environment. Its history and its schedules stay; the next deployment to it revives them.

use crate::environment::change::{Change, OfEnvironment};
use crate::environment::get::EnvironmentAnswer;
use crate::error::Error;
use crate::plane::{Call, Plane};
use tidemill_model::audit;
use tidemill_model::environment::State;
use tidemill_model::key::Scope;

pub struct Remove;

impl crate::Operation for Remove {
    const NAME: &'static str = "environment_remove";
    const SCOPE: Option<Scope> = Some(Scope::Control);
    type Input = OfEnvironment;
    type Output = EnvironmentAnswer;

    async fn run(plane: &Plane, call: &Call, of: OfEnvironment) -> Result<EnvironmentAnswer, Error> {
        let change = Change::new(plane, call, &of, audit::Operation::EnvironmentRemove);
        Ok(EnvironmentAnswer::of(&change.make_state(State::Removed).await?))
    }
}

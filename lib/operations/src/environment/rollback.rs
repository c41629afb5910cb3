//! Deploys the version that was live in an environment before, or a given one. Rolling back again goes further back.

use crate::environment::change::{OfEnvironment, at_revision, there};
use crate::environment::deploy::{Move, MoveInput};
use crate::error::{Code, Error};
use crate::idempotency::Answer;
use crate::plane::{Call, Plane};
use tidemill_model::audit;
use tidemill_model::environment::Environment;
use tidemill_model::key::Scope;

pub struct Rollback;

impl crate::Operation for Rollback {
    const NAME: &'static str = "environment_rollback";
    const SCOPE: Option<Scope> = Some(Scope::Control);
    /// Without a version it goes back to the last one before.
    type Input = MoveInput<Option<u32>>;
    type Output = Answer<Move>;

    async fn run(plane: &Plane, call: &Call, input: MoveInput<Option<u32>>) -> Result<Self::Output, Error> {
        let edit = |call: &Call, of: &OfEnvironment, before: Option<Environment>| {
            let mut environment = there(of, before)?;
            at_revision(Some(&environment), input.revision)?;
            if input.version == Some(environment.version) {
                return Err(live_already(of, environment.version));
            }
            match environment.roll_back(input.version, call.now) {
                true => Ok(environment),
                false => Err(nothing_earlier(of)),
            }
        };
        input.make(plane, call, audit::Operation::EnvironmentRollback, edit).await
    }
}

fn live_already(of: &OfEnvironment, version: u32) -> Error {
    let message =
        format!("version {version} of project `{}` is live in environment `{}` already", of.project, of.environment);
    Error::new(Code::FailedPrecondition, message).hint("name another version")
}

fn nothing_earlier(of: &OfEnvironment) -> Error {
    let OfEnvironment { project, environment } = of;
    let message = format!("no earlier version of project `{project}` was live in environment `{environment}`");
    Error::new(Code::FailedPrecondition, message).hint("name the version to go back to")
}

//! Deploys the version that was live in an environment before, or a given one. Rolling back again goes further back.

use crate::environment::change::{Change, Incoming, OfEnvironment, at_revision, there};
use crate::environment::deploy::Move;
use crate::error::{Code, Error};
use crate::idempotency::Answer;
use crate::plane::{Call, Plane};
use serde::Deserialize;
use tidemill_model::audit;
use tidemill_model::environment::Environment;
use tidemill_model::ids::{EnvironmentName, ProjectId};
use tidemill_model::key::Scope;

pub struct Rollback;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub project: ProjectId,
    pub environment: EnvironmentName,
    /// The version to go back to, instead of the last one before.
    pub version: Option<u32>,
    /// Refuses the rollback if the environment is at another one.
    pub revision: Option<u64>,
}

impl crate::Operation for Rollback {
    const NAME: &'static str = "environment_rollback";
    const SCOPE: Option<Scope> = Some(Scope::Control);
    type Input = Input;
    type Output = Answer<Move>;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Self::Output, Error> {
        let Input { project, environment, version, revision } = input;
        let of = OfEnvironment { project, environment };
        let change = Change {
            plane,
            call,
            of: &of,
            operation: audit::Operation::EnvironmentRollback,
            source: None,
            incoming: Incoming::Nothing,
        };
        let request = (&of.project, &of.environment, version, revision);
        let edit = |call: &Call, before: Option<Environment>, _| {
            let mut environment = there(&of, before)?;
            at_revision(Some(&environment), revision)?;
            if version == Some(environment.version) {
                return Err(live_already(&of, environment.version));
            }
            match environment.roll_back(version, call.now) {
                true => Ok(environment),
                false => Err(nothing_earlier(&of)),
            }
        };
        change.make_once(&request, Move::of, edit).await
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

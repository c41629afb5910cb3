//! Points an environment at a version, in one conditional write. The first deployment creates the environment. Promoting
//! and rolling back are the same write with another rule for the version.

use crate::environment::change::{Change, Changed, Incoming, OfEnvironment, at_revision, deployed};
use crate::environment::get::EnvironmentAnswer;
use crate::error::Error;
use crate::idempotency::Answer;
use crate::plane::{Call, Plane};
use serde::{Deserialize, Serialize};
use tidemill_model::audit;
use tidemill_model::ids::{EnvironmentName, ProjectId};
use tidemill_model::key::Scope;

pub struct Deploy;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub project: ProjectId,
    pub environment: EnvironmentName,
    pub version: u32,
    /// Refuses the deployment if the environment is at another one; 0 before the first deployment.
    pub revision: Option<u64>,
}

/// An environment whose pointer was moved.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Move {
    #[serde(flatten)]
    pub environment: EnvironmentAnswer,
    /// What was live before; `null` if nothing was.
    pub from_version: Option<u32>,
}

impl Move {
    pub fn of(changed: &Changed) -> Move {
        Move { environment: EnvironmentAnswer::of(changed), from_version: changed.from_version }
    }
}

impl crate::Operation for Deploy {
    const NAME: &'static str = "environment_deploy";
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
            operation: audit::Operation::EnvironmentDeploy,
            source: None,
            incoming: Incoming::Nothing,
        };
        let request = (&of.project, &of.environment, version, revision);
        let edit = |call: &Call, before: Option<_>, _| {
            at_revision(before.as_ref(), revision)?;
            Ok(deployed(call, &of, before, version))
        };
        change.make_once(&request, Move::of, edit).await
    }
}

//! Points an environment at a version, in one conditional write. The first deployment creates the environment. Promoting
//! and rolling back are the same write with another rule for the version.

use crate::environment::change::{Change, Changed, OfEnvironment, at_revision, deployed};
use crate::environment::get::EnvironmentAnswer;
use crate::error::Error;
use crate::idempotency::Answer;
use crate::plane::{Call, Plane};
use serde::{Deserialize, Serialize};
use tidemill_model::audit;
use tidemill_model::environment::Environment;
use tidemill_model::ids::{EnvironmentName, ProjectId};
use tidemill_model::key::Scope;

pub struct Deploy;

/// The input of operations that move an environment's pointer to a version of the caller's choice; `V` is whether the
/// caller must name it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MoveInput<V> {
    pub project: ProjectId,
    pub environment: EnvironmentName,
    pub version: V,
    /// Refuses the move if the environment is at another one; 0 before the first deployment.
    pub revision: Option<u64>,
}

impl<V: Serialize + Sync> MoveInput<V> {
    /// Moves the pointer once per idempotency key. `edit` gives the environment as it is to be, from the call as of the
    /// round and what was there.
    pub(super) async fn make(
        &self,
        plane: &Plane,
        call: &Call,
        operation: audit::Operation,
        edit: impl Fn(&Call, &OfEnvironment, Option<Environment>) -> Result<Environment, Error>,
    ) -> Result<Answer<Move>, Error> {
        let of = OfEnvironment { project: self.project.clone(), environment: self.environment.clone() };
        let request = (&of.project, &of.environment, &self.version, self.revision);
        let change = Change::new(plane, call, &of, operation);
        change.make_once(&request, Move::of, |call, before, _| edit(call, &of, before)).await
    }
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
    type Input = MoveInput<u32>;
    type Output = Answer<Move>;

    async fn run(plane: &Plane, call: &Call, input: MoveInput<u32>) -> Result<Self::Output, Error> {
        let edit = |call: &Call, of: &OfEnvironment, before: Option<Environment>| {
            at_revision(before.as_ref(), input.revision)?;
            deployed(call, of, before, input.version)
        };
        input.make(plane, call, audit::Operation::EnvironmentDeploy, edit).await
    }
}

//! Points an environment at a version: the first deployment to it, an update, a promotion from another environment and
//! a rollback to an earlier version are all this one conditional write.

use crate::environment::change::{Change, OfEnvironment, deployed};
use crate::environment::get::EnvironmentAnswer;
use crate::error::Error;
use crate::plane::{Call, Plane};
use serde::Deserialize;
use tidemill_model::ids::{EnvironmentName, ProjectId};
use tidemill_model::key::Scope;

pub struct Deploy;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub project: ProjectId,
    pub environment: EnvironmentName,
    pub version: u32,
}

impl crate::Operation for Deploy {
    const NAME: &'static str = "environment_deploy";
    const SCOPE: Scope = Scope::Control;
    type Input = Input;
    type Output = EnvironmentAnswer;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<EnvironmentAnswer, Error> {
        let of = OfEnvironment { project: input.project, environment: input.environment };
        let change = Change { plane, call, of: &of, operation: Self::NAME, source: None, adds: None };
        let changed = change.make(|call, before, _| Ok(deployed(call, &of, before, input.version))).await?;
        Ok(EnvironmentAnswer::of(&changed))
    }
}

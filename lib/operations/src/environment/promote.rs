//! Deploys the version that is live in another environment of the project. Schedules are each environment's own and stay.

use crate::environment::change::{Change, Incoming, OfEnvironment, at_revision, deployed};
use crate::environment::deploy::Move;
use crate::error::Error;
use crate::idempotency::Answer;
use crate::plane::{Call, Plane};
use serde::Deserialize;
use tidemill_model::audit;
use tidemill_model::ids::{EnvironmentName, ProjectId};
use tidemill_model::invalid::Invalid;
use tidemill_model::key::Scope;

pub struct Promote;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub project: ProjectId,
    /// Where to deploy it.
    pub environment: EnvironmentName,
    /// The environment whose live version is promoted.
    pub from: EnvironmentName,
    /// Refuses the promotion if `environment` is at another one; 0 before the first deployment.
    pub revision: Option<u64>,
}

impl crate::Operation for Promote {
    const NAME: &'static str = "environment_promote";
    const SCOPE: Option<Scope> = Some(Scope::Control);
    type Input = Input;
    type Output = Answer<Move>;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Self::Output, Error> {
        let Input { project, environment, from, revision } = input;
        if from == environment {
            let message = format!("environment `{from}` cannot be promoted to itself");
            return Err(Invalid::new("from", message, "name two different environments").into());
        }
        let request = (&project, &environment, &from, revision);
        let promoted = OfEnvironment { project: project.clone(), environment: from.clone() };
        let of = OfEnvironment { project: project.clone(), environment: environment.clone() };
        let incoming = Incoming::LiveIn(&promoted);
        let change = Change { incoming, ..Change::new(plane, call, &of, audit::Operation::EnvironmentPromote) };
        let edit = |call: &Call, before: Option<_>, version| {
            at_revision(before.as_ref(), revision)?;
            deployed(call, &of, before, version)
        };
        change.make_once(&request, Move::of, edit).await
    }
}

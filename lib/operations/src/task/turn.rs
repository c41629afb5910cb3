//! The turn of a task that runs a source of an environment: it takes the right to run that a scheduled run takes.

use crate::deployment::change::fresh_record;
use crate::error::{Code, Error};
use crate::plane::{Call, Plane};
use crate::run::turn::going;
use tidemill_model::deployment::Deployment;
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::environment::Environment;
use tidemill_model::run::Run;
use tidemill_store::{EnvironmentAudit, Transaction};

/// The place of a task of an environment's source: it holds the right to run, as a scheduled run does, so that the two
/// never meet.
pub struct SourceTurn {
    pub deployment: DeploymentId,
    /// As it was read: what was decided by it is not done if it has moved on.
    pub environment: Environment,
    pub audit: EnvironmentAudit,
}

impl SourceTurn {
    /// Adds to a transaction that a run takes the right to run, unless one that is going holds it.
    pub(super) async fn take<'a>(
        &self,
        plane: &Plane,
        call: &Call,
        transaction: Transaction<'a>,
        run: &Run,
    ) -> Result<Transaction<'a>, Error> {
        let transaction = transaction.environment_is_still(&self.environment).environment_audit(&self.audit)?;
        let Some(before) = plane.store.deployment(&call.owner, &self.deployment).await? else {
            let record = Deployment {
                version: self.environment.version,
                last_version: self.environment.version,
                current: Some(run.id.clone()),
                ..fresh_record(plane, call, self.deployment.clone())
            };
            return Ok(transaction.new_deployment(&record)?);
        };
        if let Some(going) = going(plane, &before).await? {
            let going = going.id;
            let message = format!("run `{going}` of the source is going, and a source never runs twice at once");
            return Err(Error::new(Code::AlreadyExists, message).hint("wait for it to end, or cancel it"));
        }
        Ok(transaction.deployment(&before.with_turn_of(&run.id), before.revision)?)
    }
}

//! Takes a project off. Its versions, its history and its hook's URL stay; a run that is going goes on to its end.

use crate::answer::{Done, OfProject};
use crate::deployment::change::change_state;
use crate::error::Error;
use crate::plane::{Call, Plane};
use tidemill_model::audit;
use tidemill_model::key::Scope;

pub struct Remove;

impl crate::Operation for Remove {
    const NAME: &'static str = "deployment_remove";
    const SCOPE: Option<Scope> = Some(Scope::Control);
    type Input = OfProject;
    type Output = Done;

    async fn run(plane: &Plane, call: &Call, input: OfProject) -> Result<Done, Error> {
        let remove = |deployment: &mut tidemill_model::deployment::Deployment| deployment.remove(deployment.updated_at);
        change_state(plane, call, audit::Operation::DeploymentRemove, &input.project, remove).await?;
        Ok(Done {})
    }
}

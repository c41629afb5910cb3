//! Makes a paused or errored deployment active again, under the caller's key. Ticks of the meantime stay skipped.

use crate::answer::{DeploymentAnswer, OfProject};
use crate::deployment::change::change_state;
use crate::error::Error;
use crate::plane::{Call, Plane};
use tidemill_model::audit;
use tidemill_model::deployment::Deployment;
use tidemill_model::key::Scope;

pub struct Resume;

impl crate::Operation for Resume {
    const NAME: &'static str = "deployment_resume";
    const SCOPE: Option<Scope> = Some(Scope::Control);
    type Input = OfProject;
    type Output = DeploymentAnswer;

    async fn run(plane: &Plane, call: &Call, input: OfProject) -> Result<DeploymentAnswer, Error> {
        let resume = |deployment: &mut Deployment| deployment.resume(call.key.clone());
        let resumed = change_state(plane, call, audit::Operation::DeploymentResume, &input.project, resume).await?;
        Ok(DeploymentAnswer::of(plane, &resumed))
    }
}

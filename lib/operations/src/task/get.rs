//! How a task stands, by its token or by the source that it serves.

use crate::answer::{TaskStatus, components};
use crate::error::{Code, Error};
use crate::hint::Hint;
use crate::plane::{Call, Plane};
use crate::task::life::{find_to_look, settle};
use serde::Deserialize;
use tidemill_model::deployment_id::{DeploymentId, EnvironmentSource};
use tidemill_model::ids::{EnvironmentName, ProjectId};
use tidemill_model::invalid::Invalid;
use tidemill_model::key::Scope;
use tidemill_model::task::{State, Task};

pub struct Get;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub token: Option<String>,
    pub project: Option<ProjectId>,
    pub source: Option<String>,
    /// The environment that the source runs in, unless it is the project itself.
    #[serde(skip)]
    pub environment: Option<EnvironmentName>,
}

impl crate::Operation for Get {
    const NAME: &'static str = "task_get";
    const SCOPE: Option<Scope> = Some(Scope::Monitor);
    type Input = Input;
    type Output = TaskStatus;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<TaskStatus, Error> {
        let found = match (&input.token, &input.project, &input.source) {
            (Some(token), _, _) => status(plane, find_to_look(plane, call, token).await?).await,
            (None, Some(project), Some(source)) => {
                let deployment = match input.environment.clone() {
                    Some(environment) => EnvironmentSource::new(project.clone(), environment, source.as_str())?.into(),
                    None => DeploymentId::from(project),
                };
                let open = open_of_source(plane, call, &deployment, source).await?;
                status(plane, open.ok_or_else(|| none_open(project, source))?).await
            }
            _ => Err(Invalid::new("token", "neither `token` nor `project` and `source` are given", "give one").into()),
        };
        Ok(found?.seen_by(call))
    }
}

/// A task whose source makes its own objects counts in its run.
async fn status(plane: &Plane, task: Task) -> Result<TaskStatus, Error> {
    let run = match task.waits {
        true => None,
        false => plane.store.run(&task.owner, &task.deployment, &task.run).await?,
    };
    let status = TaskStatus::from(task);
    match run {
        Some(run) => Ok(TaskStatus { components: components(run.components.as_deref()), ..status }),
        None => Ok(status),
    }
}

fn none_open(project: &ProjectId, source: &str) -> Error {
    let message = format!("no task of source `{}` of project `{project}` is open", source.escape_debug());
    Error::new(Code::NotFound, message).hint(Hint::OpenTask)
}

/// The open task that a source's callers find.
async fn open_of_source(
    plane: &Plane,
    call: &Call,
    deployment: &DeploymentId,
    source: &str,
) -> Result<Option<Task>, Error> {
    let serving = plane.store.task_of_source(&call.owner, deployment, source).await?;
    let Some((_, Some(task))) = serving else { return Ok(None) };
    let task = settle(plane, task).await?;
    Ok(Some(task).filter(|task| task.state != State::Ended))
}

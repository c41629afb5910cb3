//! Gives an open task another pipeline.
//!
//! Its token and what it counted stay; objects in flight finish with the pipeline that they began with. A run of a
//! published version keeps the pipeline of that version: it can only be begun again. The source of a task stays one
//! that waits for objects.

use crate::answer::TaskAnswer;
use crate::deployment::definition::{BodyHashes, Definition};
use crate::error::{Code, Error};
use crate::plane::{Call, Plane};
use crate::task::life::find;
use crate::task::open::with_project;
use crate::task::opening::waits;
use crate::task::send::SendError;
use serde::Deserialize;
use serde_json::value::RawValue;
use tidemill_model::deployment_id::EnvironmentSource;
use tidemill_model::key::Scope;
use tidemill_model::task::{State, Task};
use tidemill_model::version::NO_VERSION;
use tidemill_store::{Part, Served};

/// How often a restart that met another one is tried.
const TRIES: usize = 20;

pub struct Restart;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub token: String,
    /// The one that it has, unless another is given.
    pub pipeline: Option<Box<RawValue>>,
}

impl crate::Operation for Restart {
    const NAME: &'static str = "task_restart";
    const SCOPE: Option<Scope> = Some(Scope::Control);
    type Input = Input;
    type Output = TaskAnswer;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<TaskAnswer, Error> {
        Ok(restart(plane, call, input).await?)
    }
}

/// The same, with the reason why a task is not restarted as a variant.
pub async fn restart(plane: &Plane, call: &Call, input: Input) -> Result<TaskAnswer, SendError> {
    let mut task = find(plane, call, &input.token).await?;
    open(&task)?;
    let served = match &input.pipeline {
        None => Served {
            pipeline_sha256: task.pipeline_sha256.clone(),
            plan_sha256: task.plan_sha256.clone(),
            provider: task.provider.clone(),
        },
        Some(pipeline) => served(plane, call, &task, pipeline).await?,
    };
    for _ in 0..TRIES {
        match plane.store.restart(&task, &served, plane.now()).await {
            Ok(task) => {
                plane.notify_watchers(&task.owner).await;
                return Ok(TaskAnswer::new(&task, true));
            }
            Err(error) if error.rejects(Part::Task) => {}
            Err(error) => return Err(error.into()),
        }
        let found = find(plane, call, &input.token).await?;
        open(&found)?;
        if found.run != task.run {
            return Err(SendError::Ended);
        }
        // Another caller restarted it in between.
        task = found;
    }
    Err(Error::new(Code::Unavailable, "the task kept being restarted").hint("try again").into())
}

/// Lets those pass that wait for objects.
fn open(task: &Task) -> Result<(), SendError> {
    match task.state {
        State::Ended => Err(SendError::Ended),
        State::Ending => Err(SendError::Ending),
        State::Open if !task.waits => Err(makes_its_own(&task.source, &task.provider).into()),
        State::Open => Ok(()),
    }
}

/// Stores another pipeline for a task. One without a `project_id` is of the task's own project.
async fn served(plane: &Plane, call: &Call, task: &Task, pipeline: &RawValue) -> Result<Served, Error> {
    let pipeline = with_project(pipeline, || task.deployment.project().to_string());
    let definition = Definition::compile_at(plane, &pipeline, Some(&task.source))?;
    let provider = definition.compiled.plan.source().provider.clone();
    if !waits(&provider) {
        return Err(makes_its_own(&task.source, &provider));
    }
    let BodyHashes { pipeline_sha256, plan_sha256 } = match task.deployment.environment_source() {
        None => definition.store_bodies(plane, call, task.deployment.project()).await?,
        Some(source) if definition.plan_sha256()? != task.plan_sha256 => return Err(is_published(task, source)),
        Some(_) => BodyHashes { pipeline_sha256: task.pipeline_sha256.clone(), plan_sha256: task.plan_sha256.clone() },
    };
    Ok(Served { pipeline_sha256, plan_sha256, provider })
}

fn makes_its_own(source: &str, provider: &str) -> Error {
    let message = format!("source `{source}` is a `{provider}`, which makes its own objects, so it runs once");
    Error::new(Code::FailedPrecondition, message)
        .hint("open a new task for it; one that waits for objects keeps doing so")
}

/// Nothing runs under the number of a version but what was published as that.
fn is_published(task: &Task, EnvironmentSource { project, environment, .. }: &EnvironmentSource) -> Error {
    let version = task.version.unwrap_or(NO_VERSION);
    let message =
        format!("the task runs version {version} of `{project}` in `{environment}`, and takes no other pipeline");
    Error::new(Code::FailedPrecondition, message)
        .hint(format!("add the pipeline as a version, deploy that to `{environment}`, and run it there"))
}

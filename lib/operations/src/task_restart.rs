//! Gives an open task another pipeline. Its token and what it counted stay; objects in flight finish with the pipeline
//! that they began with. A run of a published version keeps the pipeline of that version: it can only be begun again.

use crate::answer::TaskAnswer;
use crate::definition::{Definition, Stored};
use crate::error::{Code, Error};
use crate::plane::{Call, Plane};
use crate::task_life::find;
use serde::Deserialize;
use serde_json::value::RawValue;
use tidemill_model::ids::Slot;
use tidemill_model::key::Scope;
use tidemill_model::task::{State, Task};
use tidemill_store::Part;

pub struct TaskRestart;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub token: String,
    /// The one that it has, unless another is given.
    pub pipeline: Option<Box<RawValue>>,
}

impl crate::Operation for TaskRestart {
    const NAME: &'static str = "task_restart";
    const SCOPE: Scope = Scope::Control;
    type Input = Input;
    type Output = TaskAnswer;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<TaskAnswer, Error> {
        let task = find(plane, call, &input.token).await?;
        let closed = || Error::new(Code::FailedPrecondition, "the task takes no more objects").hint("open a new one");
        if task.state != State::Open || !task.waits {
            return Err(closed());
        }
        let definition = match &input.pipeline {
            Some(pipeline) => Some(Definition::compile_at(plane, pipeline, Some(&task.source))?),
            None => None,
        };
        let Stored { pipeline_sha256, plan_sha256 } = match (&definition, task.project.slot()) {
            (Some(definition), None) => definition.store_bodies(plane, call, &task.project).await?,
            (Some(definition), Some(slot)) if definition.plan_sha256()? != task.plan_sha256 => {
                return Err(is_published(&task, &slot));
            }
            _ => Stored { pipeline_sha256: task.pipeline_sha256.clone(), plan_sha256: task.plan_sha256.clone() },
        };
        match plane.store.restart(&task, &pipeline_sha256, &plan_sha256, plane.now()).await {
            Ok(task) => {
                plane.tell(&task.owner).await;
                Ok(TaskAnswer::new(&task, true))
            }
            Err(error) if error.rejects(Part::Task) => Err(closed()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Nothing runs under the number of a version but what was published as that.
fn is_published(task: &Task, Slot { project, environment, .. }: &Slot) -> Error {
    let version = task.version;
    let message =
        format!("the task runs version {version} of `{project}` in `{environment}`, and takes no other pipeline");
    Error::new(Code::FailedPrecondition, message)
        .hint(format!("add the pipeline as a version, deploy that to `{environment}`, and run it there"))
}

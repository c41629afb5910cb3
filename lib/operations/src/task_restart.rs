//! Gives an open task another pipeline. Its token and what it counted stay; objects in flight finish with the pipeline
//! that they began with.

use crate::answer::TaskAnswer;
use crate::definition::Definition;
use crate::error::{Code, Error};
use crate::plane::{Call, Plane};
use crate::task_life::find;
use crate::task_open::stored;
use serde::Deserialize;
use serde_json::value::RawValue;
use tidemill_model::key::Scope;
use tidemill_model::task::State;
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
        let (pipeline, plan) = match &input.pipeline {
            None => (task.pipeline_sha256.clone(), task.plan_sha256.clone()),
            Some(pipeline) => {
                let definition = Definition::compile_at(plane, pipeline, Some(&task.source))?;
                stored(plane, call, &task.project, &definition).await?
            }
        };
        match plane.store.restart(&task, &pipeline, &plan, plane.now()).await {
            Ok(task) => Ok(TaskAnswer::new(&task, true)),
            Err(error) if error.rejects(Part::Task) => Err(closed()),
            Err(error) => Err(error.into()),
        }
    }
}

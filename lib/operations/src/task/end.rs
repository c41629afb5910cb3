//! Ends a task. Objects that it took are finished and give their results, new ones are refused from now on.

use crate::Operation;
use crate::answer::TaskAnswer;
use crate::error::{Code, Error};
use crate::plane::{Call, Plane};
use crate::task::life::{find, settle};
use serde::Deserialize;
use tidemill_model::key::Scope;
use tidemill_model::task::{self, State};
use tidemill_store::Part;

pub struct End;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub token: String,
}

impl Operation for End {
    const NAME: &'static str = "task_end";
    const SCOPE: Option<Scope> = Some(Scope::Control);
    type Input = Input;
    type Output = TaskAnswer;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<TaskAnswer, Error> {
        let task = find(plane, call, &input.token).await?;
        if task.state != State::Open {
            return Err(not_open(task.state));
        }
        let ending = match plane.store.stop_taking(&task, task::End::Terminated, plane.now()).await {
            Ok(ending) => ending,
            Err(error) if error.rejects(Part::Task) => return Err(not_open(State::Ending)),
            Err(error) => return Err(error.into()),
        };
        plane.notify_watchers(&ending.owner).await;
        let task = settle(plane, ending).await?;
        Ok(TaskAnswer::new(&task, true))
    }
}

fn not_open(state: State) -> Error {
    let message = match state {
        State::Ended => "the task has ended",
        _ => "the task is ending already",
    };
    Error::new(Code::FailedPrecondition, message).hint("there is nothing left to end")
}

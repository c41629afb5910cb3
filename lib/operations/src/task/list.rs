//! An owner's tasks: those that are open, and those that ended not long ago. They are at most some hundreds, so the list
//! has no pages.

use crate::answer::TaskStatus;
use crate::error::Error;
use crate::plane::{Call, Plane};
use crate::task::life::settle;
use serde::{Deserialize, Serialize};
use tidemill_model::key::Scope;

pub struct List;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {}

#[derive(Debug, Serialize)]
pub struct Output {
    /// Newest first.
    pub items: Vec<TaskStatus>,
}

impl crate::Operation for List {
    const NAME: &'static str = "task_list";
    const SCOPE: Option<Scope> = Some(Scope::Monitor);
    type Input = Input;
    type Output = Output;

    async fn run(plane: &Plane, call: &Call, _: Input) -> Result<Output, Error> {
        let mut tasks = Vec::new();
        for task in plane.store.tasks(&call.owner).await? {
            tasks.push(settle(plane, task).await?);
        }
        tasks.retain(|task| task.is_readable(plane.now()));
        tasks.sort_by(|a, b| b.run.cmp(&a.run));
        let shown = |task| TaskStatus { components: Vec::new(), ..TaskStatus::from(task).seen_by(call) };
        Ok(Output { items: tasks.into_iter().map(shown).collect() })
    }
}

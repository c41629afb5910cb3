//! Where plans are executed: in this process ([`InProcess`](crate::InProcess)), or in one that may die of what it executes.

use crate::context::RunContext;
use crate::error::Error;
use crate::gauge::Gauge;
use crate::step::{Budget, Step};
use futures::future::BoxFuture;
use serde_json::Value as Tree;
use std::sync::Arc;
use tidemill_plan::Plan;

/// Executes plans.
pub trait Engine: Send + Sync {
    /// Takes work. It begins with the first step, so that whatever bounds a step bounds the start, too.
    fn execute(&self, work: Work) -> Box<dyn Running>;

    /// Whether this process lives on, whatever a plan does. Then no plan is to blame for its death.
    fn is_apart(&self) -> bool;
}

/// What is to be executed.
#[derive(Clone)]
pub struct Work {
    /// Whose work it is. What an owner has in hand shares one owner's part of the processors.
    pub owner: String,
    pub plan: Arc<Plan>,
    pub context: RunContext,
    /// Where to continue. A run that has a saved checkpoint must be continued from it, in whichever attempt.
    pub checkpoint: Option<Tree>,
}

/// An execution, wherever it goes on. Once it is dropped, no further value is taken.
pub trait Running: Send {
    /// Makes the next step. After an error, and after a step that is the last, there is none.
    fn step(&mut self, budget: Budget) -> BoxFuture<'_, Result<Step, Halt>>;

    /// What the host sees of a step while it goes on.
    fn gauge(&self) -> Gauge;

    /// Drops it in the middle of a step, and waits until nothing of it goes on, as far as that is possible.
    fn abandon(self: Box<Self>) -> BoxFuture<'static, ()>;
}

/// Why an execution goes no further.
#[derive(Debug)]
pub enum Halt {
    /// The plan failed.
    Failed(Box<Error>),
    /// The process that executed it died, and with it what was made since the last step.
    Died(Death),
    /// There is no process to execute it.
    Unavailable(String),
    /// This process is about to end.
    Stopping,
}

/// What a process died of, in words for the author of its plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Death {
    /// A phrase that goes on after its name: `used more memory than …`.
    pub message: String,
    pub hint: String,
}

impl From<Error> for Halt {
    fn from(error: Error) -> Halt {
        Halt::Failed(Box::new(error))
    }
}

//! Executes plans in this process, on threads that the host names.

use crate::engine::{Engine, Halt, Running, Work};
use crate::error::Error;
use crate::execution::Execution;
use crate::gauge::Gauge;
use crate::step::{Budget, Step};
use futures::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::task::{JoinError, JoinSet};

/// The engine of this process. A plan that takes its memory takes it from everything else here.
pub struct InProcess {
    threads: Handle,
}

impl InProcess {
    /// An engine that computes on these threads: what computes does not pause, and on the threads that answer callers it would keep
    /// them waiting.
    pub fn on(threads: Handle) -> InProcess {
        InProcess { threads }
    }
}

impl Engine for InProcess {
    fn execute(&self, work: Work) -> Box<dyn Running> {
        let (threads, gauge) = (self.threads.clone(), Gauge::default());
        Box::new(Here { threads, gauge, stage: Stage::New(Box::new(work)) })
    }

    fn is_apart(&self) -> bool {
        false
    }
}

/// An execution in this process.
struct Here {
    threads: Handle,
    gauge: Gauge,
    stage: Stage,
}

enum Stage {
    New(Box<Work>),
    Going(Box<Execution>),
    /// It is in a step, or has ended.
    Away,
}

impl Stage {
    async fn step(self, budget: Budget, gauge: Gauge) -> Result<(Box<Execution>, Step), Error> {
        let mut execution = match self {
            Stage::New(work) => {
                let Work { plan, context, checkpoint, .. } = *work;
                Box::new(Execution::start_with(&plan, context, checkpoint, gauge).await?)
            }
            Stage::Going(execution) => execution,
            Stage::Away => return Err(Error::broken(&gauge)),
        };
        let step = execution.step(&budget).await?;
        Ok((execution, step))
    }
}

impl Running for Here {
    fn step(&mut self, budget: Budget) -> BoxFuture<'_, Result<Step, Halt>> {
        Box::pin(async move {
            let stage = std::mem::replace(&mut self.stage, Stage::Away);
            let step = stage.step(budget, self.gauge.clone());
            match on(&self.threads, step).await {
                Ok(Ok((execution, step))) => {
                    self.stage = Stage::Going(execution);
                    Ok(step)
                }
                Ok(Err(error)) => Err(error.into()),
                Err(error) if error.is_panic() => Err(Error::broken(&self.gauge).into()),
                Err(_) => Err(Halt::Stopping),
            }
        })
    }

    fn gauge(&self) -> Gauge {
        self.gauge.clone()
    }

    /// A thread cannot be ended: what computes without a pause goes on until its next one.
    fn abandon(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// Runs a future on other threads, and drops it there if this one is dropped.
async fn on<T: Send + 'static>(
    threads: &Handle,
    future: impl Future<Output = T> + Send + 'static,
) -> Result<T, JoinError> {
    let mut tasks = JoinSet::new();
    tasks.spawn_on(future, threads);
    tasks.join_next().await.expect("a task was spawned")
}

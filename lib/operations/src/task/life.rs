//! Brings a task to its end: the worker that counted its last object, the caller that asked for its end and the sweep
//! each take the step that is due.
//!
//! Each step is one conditional write, so it does not matter how many try.

use crate::error::{Code, Error};
use crate::plane::{Call, Plane};
use crate::run::request_cancel::request_cancel;
use crate::run::turn;
use tidemill_model::ids::RunId;
use tidemill_model::run::Run;
use tidemill_model::task::{self, End, READABLE, State, Step, Task, next, next_with_run};
use tidemill_store::{Credential, Part};

/// Steps that a task may take at once: its objects are given up, it ends.
const STEPS: usize = 8;

/// Brings a task as far towards its end as it is to go now.
pub async fn settle(plane: &Plane, task: Task) -> Result<Task, Error> {
    let mut task = task;
    for _ in 0..STEPS {
        let Some(next) = step(plane, &task).await? else { return Ok(task) };
        let found = match next {
            Ok(moved) => {
                plane.notify_watchers(&moved.owner).await;
                Some(moved)
            }
            Err(error) if error.rejects(Part::Task) => plane.store.task(&task.owner, &task.token).await?,
            Err(error) => return Err(error.into()),
        };
        match found {
            Some(found) => task = found,
            None => return Ok(task),
        }
    }
    Ok(task)
}

type Moved = Result<Task, tidemill_store::Error>;

/// One step of a task, if one is due.
async fn step(plane: &Plane, task: &Task) -> Result<Option<Moved>, Error> {
    let (now, by) = (plane.now(), plane.workers.this());
    let mut run = None;
    let mut step = next(task, now);
    if step == Step::LookAtRun {
        let Some(found) = plane.store.run(&task.owner, &task.deployment, &task.run).await? else { return Ok(None) };
        step = next_with_run(task, &found, now, by);
        run = Some(found);
    }
    debug_assert_eq!(task::check(task, run.as_ref(), now, by, step), Ok(()));
    match (step, run) {
        (Step::GiveUpObjects, _) => Ok(Some(plane.store.give_up(task).await)),
        (Step::End(outcome), _) => end(plane, task, outcome).await.map(Some),
        (Step::CancelRun, Some(run)) => cancel_run(plane, task, run).await,
        (Step::RingForRun, Some(run)) => {
            plane.ring_again(turn::bell(&run)).await;
            Ok(None)
        }
        _ => Ok(None),
    }
}

/// Asks the run of a task to end. Once it has ended, now or by itself, the task takes its next step.
async fn cancel_run(plane: &Plane, task: &Task, run: Run) -> Result<Option<Moved>, Error> {
    match request_cancel(plane, run, plane.now()).await {
        Ok(run) if !run.state.is_final() => Ok(None),
        Err(error) if error.code != Code::FailedPrecondition => Err(error),
        _ => Ok(Some(Ok(task.clone()))),
    }
}

/// Ends a task and its run in one transaction. Its tokens are forgotten a while later.
async fn end(plane: &Plane, task: &Task, outcome: End) -> Result<Moved, Error> {
    let now = plane.now();
    let forgotten = now + READABLE;
    let credential = |public| Credential { owner: task.owner.clone(), token: task.token.clone(), public };
    let mut transaction = plane.store.transaction().end_task(task, outcome, now, forgotten)?.task_credential(
        &task.public_token,
        &credential(true),
        Some(forgotten),
    )?;
    if !task.has_chosen_token {
        transaction = transaction.task_credential(&task.token, &credential(false), Some(forgotten))?;
    }
    if let Some(before) = plane.store.run(&task.owner, &task.deployment, &task.run).await?
        && !before.state.is_final()
    {
        transaction = transaction.end_run_of_task(&before, task, outcome, now)?;
    }
    match transaction.commit().await {
        Ok(()) => {
            tracing::info!(run.id = %task.run, project.id = %task.deployment, "task of `{}` ended", task.deployment);
            Ok(Ok(Task { state: State::Ended, end: Some(outcome), ended_at: Some(now), ..task.clone() }))
        }
        Err(error) if error.rejects(Part::Run) => Ok(Err(tidemill_store::Error::Rejected(vec![Part::Task]))),
        Err(error) => Ok(Err(error)),
    }
}

/// Finds a task that a caller may ask about, as it is now.
pub async fn find(plane: &Plane, call: &Call, token: &str) -> Result<Task, Error> {
    let found = plane.store.task(&call.owner, token).await?;
    let task = match found {
        None => return Err(unknown()),
        Some(task) => settle(plane, task).await?,
    };
    if task.is_readable(plane.now()) { Ok(task) } else { Err(unknown()) }
}

/// The same for a caller who looks, and may have its run's id instead of its token.
pub async fn find_to_look(plane: &Plane, call: &Call, address: &str) -> Result<Task, Error> {
    match find(plane, call, address).await {
        Err(error) if error.code == Code::NotFound => {}
        found => return found,
    }
    // Hardly anyone asks so, and what is needed for it is large.
    Box::pin(find_by_run(plane, call, address)).await
}

async fn find_by_run(plane: &Plane, call: &Call, address: &str) -> Result<Task, Error> {
    let Ok(run) = RunId::parse(address) else { return Err(unknown()) };
    let run = plane.store.run_anywhere(&call.owner, &run).await?;
    let hash = run.and_then(|run| run.task).ok_or_else(unknown)?;
    let task = plane.store.task_by_hash(&call.owner, &hash).await?.ok_or_else(unknown)?;
    // Its token may address a later task by now.
    match find(plane, call, &task.token).await {
        Ok(found) if found.run.to_string() == address => Ok(found),
        Ok(_) => Err(unknown()),
        Err(error) => Err(error),
    }
}

/// The same answer for a token that never was, that is another owner's and whose task is long gone. It does not repeat
/// the token, which is a credential.
pub fn unknown() -> Error {
    Error::new(Code::NotFound, "no task has this token")
        .hint("open one first; an ended task is forgotten after 5 minutes")
}

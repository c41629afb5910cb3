//! How a task comes to its end, whoever notices first: whoever counted its last object, whoever asked to end it, or the
//! sweep. Each step is one conditional write, so it does not matter how many try.

use crate::bell::Bell;
use crate::deployment::change::HISTORY;
use crate::error::{Code, Error};
use crate::plane::{Call, Plane};
use crate::run::cancel;
use jiff::SignedDuration;
use tidemill_model::run;
use tidemill_model::task::{End, READABLE, State, Task};
use tidemill_store::{Credential, Part};

/// Steps that a task may take at once: its objects are given up, it ends.
const STEPS: usize = 8;
/// How long the run of a source that makes its own objects may wait before its bell counts as lost.
const PATIENCE: SignedDuration = SignedDuration::from_secs(60);

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
    let now = plane.now();
    if task.state == State::Ended {
        return Ok(None);
    }
    if task.in_flight > 0 && !task.is_busy(now) {
        return Ok(Some(plane.store.give_up(task).await));
    }
    if !task.waits {
        return step_with_run(plane, task).await;
    }
    match task.state {
        State::Open if task.is_idle(now) => end(plane, task, End::Idle).await.map(Some),
        State::Ending if task.in_flight <= 0 => end(plane, task, task.end.unwrap_or(End::Terminated)).await.map(Some),
        _ => Ok(None),
    }
}

/// A source that makes its own objects: the task ends with its run.
async fn step_with_run(plane: &Plane, task: &Task) -> Result<Option<Moved>, Error> {
    let Some(run) = plane.store.run(&task.owner, &task.deployment, &task.run).await? else { return Ok(None) };
    let outcome = match run.state {
        run::State::Succeeded => End::Finished,
        run::State::Cancelled => End::Terminated,
        run::State::Failed | run::State::TimedOut => End::Failed,
        run::State::Queued | run::State::Running => {
            let now = plane.now();
            // Whoever asked for the end may have died before the run was told.
            if task.state == State::Ending && run.cancel_requested_at.is_none() {
                return match cancel::request(plane, run, now).await {
                    Ok(run) if !run.state.is_final() => Ok(None),
                    Err(error) if error.code != Code::FailedPrecondition => Err(error),
                    // It has ended, now or by itself: so does the task.
                    _ => Ok(Some(Ok(task.clone()))),
                };
            }
            let waits = run.state == run::State::Queued && run.queued_at + PATIENCE > now;
            if !waits && !run.is_held(now, plane.workers.this()) {
                plane.ring_again(Bell::Run { owner: run.owner, deployment: run.deployment, run: run.id }).await;
            }
            return Ok(None);
        }
    };
    end(plane, task, outcome).await.map(Some)
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
        let mut after = before.clone();
        after.state = match outcome {
            End::Terminated => run::State::Cancelled,
            _ => run::State::Succeeded,
        };
        after.ended_at = Some(now);
        after.objects = task.counts.total_count;
        after.log_chunks = task.log_chunks;
        transaction = transaction.run(&before, &after, before.queued_at + HISTORY)?;
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

/// The same answer for a token that never was, that is another owner's and whose task is long gone. It does not repeat
/// the token, which is a credential.
pub fn unknown() -> Error {
    Error::new(Code::NotFound, "no task has this token")
        .hint("open one first; an ended task is forgotten after 5 minutes")
}

//! Writing a run's progress and its end, fenced by its epoch. A request to cancel that came in between is taken over;
//! a run that somebody else took is left alone.

use crate::bell::BellOutcome;
use crate::deployment::change::HISTORY;
use crate::error::Error;
use crate::plane::Plane;
use crate::task::trace::{KEPT, Told};
use jiff::{SignedDuration, Timestamp};
use serde_json::Map;
use std::time::Duration;
use tidemill_engine::{EventKind, LogLine, NewKey, Step, TraceEvents};
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::ids::OwnerId;
use tidemill_model::run::{Ended, Failure, Next, Run, State};
use tidemill_store::{Part, Transaction};

/// Log lines and results up to this many bytes stay with the run, so that a small run costs one write.
const INLINE: usize = 600;
/// How often a write that met a request to cancel is decided again.
const TRIES: usize = 20;

/// How an attempt ended, and what it made since the last save.
pub struct Attempt {
    ended: Ended,
    log: Vec<LogLine>,
    traced: TraceEvents,
    new_keys: Vec<NewKey>,
    objects: Option<u64>,
    result: Option<String>,
}

impl Attempt {
    pub fn ended(ended: Ended) -> Attempt {
        Attempt {
            ended,
            log: Vec::new(),
            traced: TraceEvents::default(),
            new_keys: Vec::new(),
            objects: None,
            result: None,
        }
    }

    pub fn failed(error: tidemill_engine::Error) -> Attempt {
        let failure = Failure { component: error.component, message: error.message, hint: error.hint };
        let ended = Ended::Failed { failure, retryable: error.retryable };
        Attempt { log: error.log, traced: *error.traced, ..Attempt::ended(ended) }
    }

    /// The last step, after which the source has no more.
    pub fn done(step: Step) -> Attempt {
        Attempt {
            ended: Ended::Succeeded,
            log: step.log,
            traced: step.traced,
            new_keys: step.new_keys,
            objects: Some(step.counts.objects),
            result: step.done.map(|outcome| outcome.result.to_string()),
        }
    }
}

/// Whether a write happened.
pub enum Saved {
    /// The run as it is now.
    Yes(Box<Run>),
    /// Somebody else holds it, or it has ended.
    Lost,
}

/// Ends an attempt: the run becomes final, or waits for its next attempt.
pub async fn end(plane: &Plane, run: Run, attempt: Attempt) -> Result<BellOutcome, Error> {
    let now = plane.now();
    let next = run.after(attempt.ended.clone(), plane.ambient.jitter());
    let mut after = run.clone();
    after.lease = None;
    after.deaths = 0;
    after.objects = attempt.objects.unwrap_or(run.objects);
    let executed = match next {
        Next::Final(state, failure) => {
            after.state = state;
            after.error = failure;
            after.ended_at = Some(now);
            keep_result(plane, &mut after, attempt.result).await?;
            BellOutcome::Done
        }
        Next::Retry { delay, failure } => {
            after.state = State::Queued;
            after.error = Some(failure);
            after.attempt += 1;
            after.not_before = Some(now + SignedDuration::try_from(delay).unwrap_or(SignedDuration::ZERO));
            BellOutcome::RingAgain(delay)
        }
    };
    let chunk = keep_log(&mut after, &attempt.log)?;
    let trace = trace_chunk(&mut after, &attempt.traced, now)?;
    let saved = save(plane, &run, after, |transaction, run| {
        let transaction = with_log(transaction, run, chunk.as_ref())?;
        let transaction = with_trace(transaction, run, trace.as_ref(), now)?;
        with_keys(transaction, &run.owner, &run.deployment, &attempt.new_keys, now)
    })
    .await?;
    if let Saved::Yes(run) = saved {
        log_end(&run);
        return Ok(if run.state.is_final() { BellOutcome::Done } else { executed });
    }
    Ok(BellOutcome::Done)
}

fn log_end(run: &Run) {
    let (id, project, state) = (&run.id, &run.deployment, run.state);
    match state {
        State::Queued => {
            tracing::warn!(run.id = %id, project.id = %project, attempt = run.attempt, "run `{id}` tries again")
        }
        _ => tracing::info!(run.id = %id, project.id = %project, "run `{id}` of `{project}` {state}"),
    }
}

/// Writes a run over what was read as `before`, with what `add` adds to the transaction.
pub async fn save<'a>(
    plane: &'a Plane,
    before: &Run,
    after: Run,
    add: impl Fn(Transaction<'a>, &Run) -> Result<Transaction<'a>, Error>,
) -> Result<Saved, Error> {
    let mut before = before.clone();
    let mut after = after;
    for _ in 0..TRIES {
        after = without_retry(&before, after, plane.now());
        let transaction = plane.store.transaction().run(&before, &after, after.queued_at + HISTORY)?;
        match add(transaction, &after)?.commit().await {
            Ok(()) => {
                if after.task.is_some() {
                    plane.notify_watchers(&after.owner).await;
                }
                return Ok(Saved::Yes(Box::new(after)));
            }
            Err(error) if error.rejects(Part::Run) => {}
            Err(error) => return Err(error.into()),
        }
        let found = plane.store.run(&before.owner, &before.deployment, &before.id).await?;
        let Some(found) = found.filter(|found| found.epoch == before.epoch && found.state == before.state) else {
            return Ok(Saved::Lost);
        };
        // Only a request to cancel can have come in under the same epoch.
        after.cancel_requested_at = found.cancel_requested_at;
        before = found;
    }
    Err(Error::new(crate::Code::Unavailable, "the run kept changing while it was saved"))
}

/// Whoever asked to cancel does not want another attempt.
fn without_retry(before: &Run, after: Run, now: Timestamp) -> Run {
    if after.cancel_requested_at.is_none() || after.state != State::Queued {
        return after;
    }
    Run { state: State::Cancelled, attempt: before.attempt, not_before: None, ended_at: Some(now), ..after }
}

async fn keep_result(plane: &Plane, run: &mut Run, result: Option<String>) -> Result<(), Error> {
    match result {
        Some(text) if text.len() > INLINE => {
            let names = plane.store.put_bodies(&run.owner, run.deployment.project(), &[text.as_bytes()]).await?;
            run.result_sha256 = names.into_iter().next();
        }
        small => run.result = small,
    }
    Ok(())
}

/// A chunk of the log, or of what is told, with its number.
pub type Chunk = (u32, String);

/// Keeps the last lines with the run if they are few and the run has ended, else makes a chunk of them.
fn keep_log(run: &mut Run, lines: &[LogLine]) -> Result<Option<Chunk>, Error> {
    let text = serde_json::to_string(lines).map_err(Error::internal)?;
    if run.state.is_final() && text.len() <= INLINE {
        run.log = (!lines.is_empty()).then_some(text);
        return Ok(None);
    }
    log_chunk(run, lines)
}

/// Makes a chunk of some lines, unless there are none.
pub fn log_chunk(run: &mut Run, lines: &[LogLine]) -> Result<Option<Chunk>, Error> {
    if lines.is_empty() {
        return Ok(None);
    }
    let number = run.log_chunks;
    run.log_chunks += 1;
    Ok(Some((number, serde_json::to_string(lines).map_err(Error::internal)?)))
}

/// Makes a chunk of what is told of a step, unless that is nothing.
pub fn trace_chunk(run: &mut Run, traced: &TraceEvents, now: Timestamp) -> Result<Option<Chunk>, Error> {
    let Some(first) = traced.events.first() else { return Ok(None) };
    let told = Told {
        pipe: 0,
        name: format!("step {}", run.trace_chunks + 1),
        began_at: first.at,
        ended_at: now,
        traced: traced.clone(),
        result: Map::new(),
        error: None,
        is_traced: traced.events.iter().any(|event| !matches!(event.what, EventKind::Message { .. })),
    };
    run.trace_chunks += 1;
    Ok(Some((run.trace_chunks, told.text()?)))
}

pub fn with_trace<'a>(
    transaction: Transaction<'a>,
    run: &Run,
    chunk: Option<&Chunk>,
    now: Timestamp,
) -> Result<Transaction<'a>, Error> {
    let Some((number, text)) = chunk else { return Ok(transaction) };
    Ok(transaction.trace(&run.owner, &run.deployment, &run.id, (*number).into(), text, now + KEPT)?)
}

pub fn with_log<'a>(transaction: Transaction<'a>, run: &Run, chunk: Option<&Chunk>) -> Result<Transaction<'a>, Error> {
    let Some((number, lines)) = chunk else { return Ok(transaction) };
    Ok(transaction.log_chunk(&run.owner, &run.deployment, &run.id, *number, lines, run.queued_at + HISTORY)?)
}

pub fn with_keys<'a>(
    mut transaction: Transaction<'a>,
    owner: &OwnerId,
    deployment: &DeploymentId,
    keys: &[NewKey],
    now: Timestamp,
) -> Result<Transaction<'a>, Error> {
    for key in keys {
        let expires = now.checked_add(bounded(key.expires)).unwrap_or(Timestamp::MAX);
        transaction = transaction.seen(owner, deployment, &key.component, &key.key, expires)?;
    }
    Ok(transaction)
}

fn bounded(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

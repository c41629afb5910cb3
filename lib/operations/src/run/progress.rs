//! Saving a run, fenced by the epoch of its lease, with what a step made: log, trace, keys and checkpoint. A step that goes on
//! gives its log and its counts away earlier, with the lease's renewal. A request to cancel that came in between is taken over.

use crate::error::Error;
use crate::lease::{Holding, renewed};
use crate::plane::Plane;
use crate::run::log_ahead::LogAhead;
use crate::run::turn::read;
use crate::task::trace::{KEPT, ObjectTrace};
use jiff::{SignedDuration, Timestamp};
use serde_json::Map;
use std::time::Duration;
use tidemill_engine::{Counts, EventKind, LogLine, NewKey, Step, TraceEvents};
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::ids::OwnerId;
use tidemill_model::lease::Lease;
use tidemill_model::retention::{BODIES, HISTORY};
use tidemill_model::run::{LargeCheckpoint, Run, State};
use tidemill_store::{Checkpoint, Held, Part, SeenKey, Transaction};

/// Keys of one save: they share a transaction of 100 items with the rest.
pub const NEW_KEYS: usize = 50;
/// The counts of a plan's components stay with the run up to this many bytes: some twenty components.
const COUNTS_INLINE: usize = 1_500;
/// How often a write that met a request to cancel is decided again.
const TRIES: usize = 20;

/// A chunk of the log, or of the trace, with its number.
pub type Chunk = (u32, String);

/// Saves what a step made, all of it or nothing, and renews the lease.
pub async fn save_step(plane: &Plane, run: &mut Held<Run>, step: &Step, ahead: &LogAhead) -> Result<Holding, Error> {
    let mut after = renewed(plane, run);
    after.deaths = 0;
    ahead.mark(&mut after);
    count(&mut after, &step.counts)?;
    let chunk = log_chunk(&mut after, &step.log)?;
    let trace = trace_chunk(&mut after, &step.traced, plane.now())?;
    let checkpoint = Checkpoint(serde_json::to_string(&step.checkpoint).map_err(Error::internal)?);
    after.large_checkpoint = plane.store.put_large_checkpoint(&after, &checkpoint, plane.now() + HISTORY).await?;
    let replaced = run.large_checkpoint.clone().filter(|large| after.large_checkpoint.as_ref() != Some(large));
    let holding = save(plane, run, after, |transaction, run| {
        let transaction = with_log(transaction, run, chunk.as_ref(), plane.now())?;
        let transaction = with_trace(transaction, run, trace.as_ref(), plane.now())?;
        let transaction = with_keys(transaction, &run.owner, &run.deployment, &step.new_keys, plane.now())?;
        Ok(transaction.checkpoint(run, &checkpoint, plane.now() + HISTORY)?)
    })
    .await?;
    if let (Holding::Kept, Some(replaced)) = (holding, replaced) {
        forget_checkpoint(plane, run, &replaced).await;
    }
    Ok(holding)
}

/// Deletes a large checkpoint that the run no longer goes on from. The table deletes one that this fails for a month later.
pub async fn forget_checkpoint(plane: &Plane, run: &Run, large: &LargeCheckpoint) {
    if let Err(error) = plane.store.delete_large_checkpoint(run, large).await {
        tracing::warn!(run.id = %run.id, %error, "an old checkpoint of run `{}` is left to expire", run.id);
    }
}

/// Renews the lease during a step, and writes down what the step logged and counted so far. The counts are those of work that may be
/// redone; the lines stay, and are known as written ahead of the save.
pub async fn renew(
    plane: &Plane,
    run: &mut Held<Run>,
    lines: &[LogLine],
    counts: Option<&Counts>,
) -> Result<Holding, Error> {
    let after = renewed(plane, run);
    save_ahead(plane, run, after, lines, counts).await
}

/// Leaves a run that was just saved to the next worker, which may claim it at once.
pub async fn give_back(plane: &Plane, run: &mut Held<Run>) -> Result<Holding, Error> {
    let after = Run { lease: Some(Lease::given_back(plane.now())), ..Run::clone(run) };
    save(plane, run, after, |transaction, _| Ok(transaction)).await
}

/// Counts the death of the process that executed a run, before the run goes on in another one.
pub async fn count_engine_death(plane: &Plane, run: &mut Held<Run>, line: LogLine) -> Result<Holding, Error> {
    let after = Run { engine_deaths: run.engine_deaths + 1, ..renewed(plane, run) };
    save_ahead(plane, run, after, &[line], None).await
}

/// Writes lines that stand in the log ahead of the next save.
async fn save_ahead(
    plane: &Plane,
    run: &mut Held<Run>,
    mut after: Run,
    lines: &[LogLine],
    counts: Option<&Counts>,
) -> Result<Holding, Error> {
    if let Some(counts) = counts {
        count(&mut after, counts)?;
    }
    let chunk = log_chunk(&mut after, lines)?;
    after.log_ahead += u32::from(chunk.is_some());
    save(plane, run, after, |transaction, run| with_log(transaction, run, chunk.as_ref(), plane.now())).await
}

/// Writes down what a run counted so far. The components of a large plan are left for its end: see [`count_all`].
pub fn count(run: &mut Run, counts: &Counts) -> Result<Option<String>, Error> {
    (run.objects, run.dropped) = (counts.objects, counts.dropped());
    let text = serde_json::to_string(&counts.components).map_err(Error::internal)?;
    if text.len() > COUNTS_INLINE {
        run.components = None;
        return Ok(Some(text));
    }
    run.components = Some(text);
    Ok(None)
}

/// Writes down what a run counted that has ended, and the components of a large plan as a body.
pub async fn count_all(plane: &Plane, run: &mut Run, counts: &Counts) -> Result<(), Error> {
    let Some(text) = count(run, counts)? else { return Ok(()) };
    run.components_sha256 = Some(keep_body(plane, run, text.as_bytes()).await?);
    Ok(())
}

/// Stores what a run gave for as long as the run is kept, and a little longer. Gives its name.
pub async fn keep_body(plane: &Plane, run: &Run, body: &[u8]) -> Result<String, Error> {
    Ok(plane.store.put_run_body(&run.owner, run.deployment.project(), body, plane.now() + BODIES).await?)
}

/// Saves a run that goes on, with what `add` adds to the transaction.
pub async fn save<'a>(
    plane: &'a Plane,
    run: &mut Held<Run>,
    after: Run,
    add: impl Fn(Transaction<'a>, &Run) -> Result<Transaction<'a>, Error>,
) -> Result<Holding, Error> {
    let written = write(plane, run, after, add).await?;
    match written.is_some_and(|after| run.follow(after)) {
        true => Ok(Holding::Kept),
        false => Ok(Holding::Lost),
    }
}

/// Writes a run, with what `add` adds to the transaction. Gives the run as it is then, or `None` if the lease was lost.
pub async fn write<'a>(
    plane: &'a Plane,
    run: &mut Held<Run>,
    after: Run,
    add: impl Fn(Transaction<'a>, &Run) -> Result<Transaction<'a>, Error>,
) -> Result<Option<Run>, Error> {
    let mut after = Run { is_carried: false, ..after };
    for _ in 0..TRIES {
        after = without_retry(run, after, plane.now());
        let transaction = plane.store.transaction().run(run, &after)?;
        match add(transaction, &after)?.commit().await {
            Ok(()) => {
                plane.notify_watchers(&after.owner).await;
                return Ok(Some(after));
            }
            Err(error) if error.rejects(Part::Run) => {}
            Err(error) => return Err(error.into()),
        }
        let found = read(plane, &run.owner, &run.deployment, &run.id).await?;
        if !found.is_some_and(|found| run.follow(found)) {
            return Ok(None);
        }
        // Only a request to cancel can have come in under the same epoch.
        after.cancel_requested_at = run.cancel_requested_at;
    }
    Err(Error::new(crate::Code::Unavailable, "the run kept changing while it was saved"))
}

/// A run that is to be cancelled gets no other attempt.
fn without_retry(before: &Run, after: Run, now: Timestamp) -> Run {
    if after.cancel_requested_at.is_none() || after.state != State::Queued {
        return after;
    }
    Run { state: State::Cancelled, attempt: before.attempt, not_before: None, ended_at: Some(now), ..after }
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

/// Makes a chunk of a step's trace, unless there is none.
pub fn trace_chunk(run: &mut Run, traced: &TraceEvents, now: Timestamp) -> Result<Option<Chunk>, Error> {
    let Some(first) = traced.events.first() else { return Ok(None) };
    let trace = ObjectTrace {
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
    Ok(Some((run.trace_chunks, trace.text()?)))
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

pub fn with_log<'a>(
    transaction: Transaction<'a>,
    run: &Run,
    chunk: Option<&Chunk>,
    now: Timestamp,
) -> Result<Transaction<'a>, Error> {
    let Some((number, lines)) = chunk else { return Ok(transaction) };
    Ok(transaction.new_log_chunk(run, *number, lines, now + HISTORY)?)
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
        let seen = SeenKey { component: &key.component, key: &key.key, value: &key.value, expires };
        transaction = transaction.seen(owner, deployment, &seen)?;
    }
    Ok(transaction)
}

fn bounded(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

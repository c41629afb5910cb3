//! Ending an attempt: the run becomes final, or waits for its next attempt.

use crate::bell::BellOutcome;
use crate::error::{Code, Error};
use crate::plane::Plane;
use crate::run::progress::{self, Chunk, log_chunk, trace_chunk, with_keys, with_log, with_trace};
use jiff::{SignedDuration, Timestamp};
use tidemill_engine::{Counts, Gauge, Level, LogLine, NewKey, Step, TraceEvents};
use tidemill_model::run::{Ended, Failure, Next, Run, State};
use tidemill_store::Held;

/// Log lines and results up to this many bytes stay with the run, so that a small run costs one write.
const INLINE: usize = 600;
/// Bytes of a failure's message that the log shows.
const SHOWN: usize = 1_000;

/// How an attempt ended, and what it made since the last save.
pub struct AttemptEnd {
    ended: Ended,
    log: Vec<LogLine>,
    traced: TraceEvents,
    new_keys: Vec<NewKey>,
    /// `None` if they are as they were last saved.
    counts: Option<Box<Counts>>,
    result: Option<String>,
}

impl AttemptEnd {
    /// An end since whose last save nothing was made.
    pub fn of(ended: Ended) -> AttemptEnd {
        let (log, new_keys) = (Vec::new(), Vec::new());
        AttemptEnd { ended, log, traced: TraceEvents::default(), new_keys, counts: None, result: None }
    }

    pub fn failed(error: tidemill_engine::Error) -> AttemptEnd {
        let failure = Failure { component: error.component, message: error.message, hint: error.hint };
        let ended = Ended::Failed { failure, retryable: error.retryable };
        // An error at the start has none.
        let counts = Some(error.counts).filter(|counts| !counts.components.is_empty());
        AttemptEnd { log: error.log, traced: *error.traced, counts, ..AttemptEnd::of(ended) }
    }

    /// The end of an attempt in the middle of a step, of which only the log and the counts are kept.
    pub fn cut(ended: Ended, gauge: &Gauge) -> AttemptEnd {
        let counts = gauge.counts().map(Box::new);
        AttemptEnd { log: gauge.take_log(), counts, ..AttemptEnd::of(ended) }
    }

    /// The end of an attempt whose last step cannot be saved, of which only the log and the counts are kept.
    pub fn too_large(step: Step, error: &Error) -> AttemptEnd {
        let ended = too_large("what the run keeps between two steps", error);
        AttemptEnd { log: step.log, counts: Some(Box::new(step.counts)), ..AttemptEnd::of(ended) }
    }

    /// The same end with a line more at the end of its log.
    pub fn with_line(mut self, line: LogLine) -> AttemptEnd {
        self.log.push(line);
        self
    }

    /// The same end with another log.
    pub fn with_log(mut self, change: impl FnOnce(Vec<LogLine>) -> Vec<LogLine>) -> AttemptEnd {
        self.log = change(self.log);
        self
    }

    /// The last step, after which the source has no more.
    pub fn done(step: Step) -> AttemptEnd {
        AttemptEnd {
            ended: Ended::Succeeded,
            log: step.log,
            traced: step.traced,
            new_keys: step.new_keys,
            counts: Some(Box::new(step.counts)),
            result: step.done.map(|outcome| outcome.result),
        }
    }
}

/// Ends an attempt, and with it the lease. An end that is too large to be written is replaced by one that says so.
pub async fn end(plane: &Plane, mut run: Held<Run>, attempt: AttemptEnd) -> Result<BellOutcome, Error> {
    let large = run.large_checkpoint.clone();
    let ended = match write_end(plane, &mut run, attempt).await {
        Err(error) if error.code == Code::TooLarge => {
            write_end(plane, &mut run, AttemptEnd::of(too_large("what the run left at its end", &error))).await?
        }
        ended => ended?,
    };
    let Some((after, executed)) = ended else { return Ok(BellOutcome::Done) };
    log_end(&after);
    if !after.state.is_final() {
        return Ok(executed);
    }
    if plane.workers.this().is_alone {
        plane.memory.finals.add(&after.id);
    }
    plane.memory.ends.notify(&after.id);
    if let Some(large) = large {
        progress::forget_checkpoint(plane, &after, &large).await;
    }
    Ok(BellOutcome::Done)
}

/// Writes the end of an attempt. Gives the run as it is then, and what becomes of its bell; `None` if the lease was lost.
async fn write_end(
    plane: &Plane,
    run: &mut Held<Run>,
    mut attempt: AttemptEnd,
) -> Result<Option<(Run, BellOutcome)>, Error> {
    let now = plane.now();
    let next = run.after(attempt.ended, plane.ambient.jitter());
    let executed = match &next {
        Next::Final(..) => BellOutcome::Done,
        Next::Retry { delay, .. } => BellOutcome::RingAgain(*delay),
    };
    if let Next::Retry { failure, .. } = &next {
        attempt.log.push(why_again(run, failure, now));
    }
    let mut after = after(run, next, now);
    if let Some(counts) = attempt.counts.filter(|_| after.state.is_final()) {
        progress::count_all(plane, &mut after, &counts).await?;
    }
    if after.state.is_final() {
        keep_result(plane, &mut after, attempt.result).await?;
    }
    let chunk = keep_log(&mut after, &attempt.log)?;
    let trace = trace_chunk(&mut after, &attempt.traced, now)?;
    let written = progress::write(plane, run, after, |transaction, run| {
        let transaction = with_log(transaction, run, chunk.as_ref(), now)?;
        let transaction = with_trace(transaction, run, trace.as_ref(), now)?;
        with_keys(transaction, &run.owner, &run.deployment, &attempt.new_keys, now)
    })
    .await?;
    Ok(written.map(|run| (run, executed)))
}

/// The end of a run that has more to keep than the table takes. No other attempt would have less.
fn too_large(what: &str, error: &Error) -> Ended {
    let failure = Failure {
        component: None,
        message: format!("{what} is too large to be saved: {error}"),
        hint: Some("let the pipeline take less at once, or keep less of each value".to_owned()),
    };
    Ended::Failed { failure, retryable: false }
}

/// The last line of an attempt that is followed by another: the run's record keeps the last attempt's failure only.
fn why_again(run: &Run, failure: &Failure, at: Timestamp) -> LogLine {
    let Run { attempt, max_attempts, .. } = run;
    let why = &failure.message[..failure.message.floor_char_boundary(SHOWN)];
    let message = format!("attempt {attempt} of {max_attempts} failed: {why}");
    LogLine { at, level: Level::Warn, component: failure.component.clone(), message, attempt: *attempt }
}

/// The run after an attempt, without a holder.
fn after(before: &Run, next: Next, now: Timestamp) -> Run {
    let run = Run { lease: None, deaths: 0, log_ahead: 0, log_redone: 0, ..before.clone() };
    match next {
        Next::Final(state, error) => Run { state, error, ended_at: Some(now), large_checkpoint: None, ..run },
        Next::Retry { delay, failure } => Run {
            state: State::Queued,
            error: Some(failure),
            attempt: run.attempt + 1,
            attempt_started_at: None,
            not_before: Some(now + SignedDuration::try_from(delay).unwrap_or(SignedDuration::ZERO)),
            ..run
        },
    }
}

fn log_end(run: &Run) {
    let (id, project, state, objects) = (&run.id, &run.deployment, run.state.as_str(), run.objects);
    let duration_ms = run.duration().and_then(|took| u64::try_from(took.as_millis()).ok());
    match run.state {
        State::Queued => {
            tracing::warn!(run.id = %id, project.id = %project, attempt = run.attempt, "run `{id}` tries again")
        }
        State::Failed | State::TimedOut => {
            let error = run.error.as_ref();
            let component = error.and_then(|error| error.component.as_deref());
            let hint = error.and_then(|error| error.hint.as_deref());
            let why = error.map(|error| format!(": {error}").replace(char::is_control, " ")).unwrap_or_default();
            tracing::warn!(run.id = %id, project.id = %project, state, duration_ms, objects, component, hint, "run `{id}` of `{project}` {state}{why}")
        }
        _ => {
            tracing::info!(run.id = %id, project.id = %project, state, duration_ms, objects, "run `{id}` of `{project}` {state}")
        }
    }
}

/// Keeps a small result with the run, and a large one as a body.
async fn keep_result(plane: &Plane, run: &mut Run, result: Option<String>) -> Result<(), Error> {
    match result {
        Some(text) if text.len() > INLINE => {
            run.result_sha256 = Some(progress::keep_body(plane, run, text.as_bytes()).await?);
        }
        small => run.result = small,
    }
    Ok(())
}

/// Keeps the last lines with the run if they are few and the run has ended, else makes a chunk of them.
fn keep_log(run: &mut Run, lines: &[LogLine]) -> Result<Option<Chunk>, Error> {
    let text = serde_json::to_string(lines).map_err(Error::internal)?;
    if run.state.is_final() && text.len() <= INLINE {
        run.log = (!lines.is_empty()).then_some(text);
        return Ok(None);
    }
    log_chunk(run, lines)
}

//! A run's log, from a position on, also while it grows.

use crate::answer::{ComponentAnswer, components};
use crate::error::Error;
use crate::plane::{Call, Plane};
use crate::run::get::find;
use crate::run::turn::read;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use tidemill_engine::{Level, LogLine};
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::ids::{OwnerId, ProjectId, RunId};
use tidemill_model::key::Scope;
use tidemill_model::run::{Run, State};

/// Chunks of a log in one answer.
const CHUNKS: usize = 16;
/// A chunk that is missing for longer does not come any more: the process that was to write it has died. Objects of a
/// task are worked on side by side, so the chunk of one may come after that of the next.
const AWAITED: SignedDuration = SignedDuration::from_secs(10);

/// How many chunks the log of a run has.
pub async fn chunks(plane: &Plane, owner: &OwnerId, deployment: &DeploymentId, run: &RunId) -> Result<u32, Error> {
    let run = read(plane, owner, deployment, run).await?;
    Ok(run.map_or(0, |run| run.log_chunks))
}

pub struct Logs;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub run: RunId,
    pub project: Option<ProjectId>,
    /// Where the run is, for callers inside that know more than its project.
    #[serde(skip)]
    pub deployment: Option<DeploymentId>,
    /// `next` of the answer before.
    pub from: Option<u32>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    pub run: String,
    pub state: State,
    /// The attempt that the run is in, or waits for, or ended with.
    pub attempt: u32,
    pub max_attempts: u32,
    pub objects: u64,
    /// What the components counted so far; left out until something is known, and of a large plan.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<ComponentAnswer>,
    /// Lines `{attempt, at, level, component, message}` in order.
    pub items: Vec<Box<RawValue>>,
    /// Sent back as `from`, gives the lines after these.
    pub next: u32,
    /// The run has ended and there is nothing after these lines.
    pub complete: bool,
}

impl crate::Operation for Logs {
    const NAME: &'static str = "run_logs";
    const SCOPE: Option<Scope> = Some(Scope::Monitor);
    type Input = Input;
    type Output = Output;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Output, Error> {
        let deployment = input.deployment.or(input.project.map(DeploymentId::from));
        let run = find(plane, call, &input.run, deployment.as_ref()).await?;
        let from = input.from.unwrap_or(0);
        let chunks = plane.store.log_chunks(&run.owner, &run.deployment, &run.id, from, CHUNKS).await?;
        let there = chunks.len();
        let chunks = in_order(chunks, from, plane.now())?;
        let read_all = chunks.len() == there && there < CHUNKS;
        let mut next = from.max(chunks.last().map_or(from, |(number, _)| number + 1));
        let mut items = Vec::new();
        for (_, text) in &chunks {
            items.extend(lines(text)?);
        }
        let ended = run.state.is_final();
        // The lines that stayed with the run come after its chunks, once, when it has ended.
        if read_all && ended && next <= run.log_chunks {
            items.extend(own_lines(&run)?);
            next = run.log_chunks + 1;
        }
        let complete = ended && next > run.log_chunks;
        Ok(Output {
            run: run.id.to_string(),
            state: run.state,
            attempt: run.attempt,
            max_attempts: run.max_attempts,
            objects: run.objects,
            components: components(run.components.as_deref()),
            items,
            next,
            complete,
        })
    }
}

/// Those that no other one is still to come before.
fn in_order(mut chunks: Vec<(u32, String)>, from: u32, now: Timestamp) -> Result<Vec<(u32, String)>, Error> {
    let mut expected = from;
    for index in 0..chunks.len() {
        let (number, text) = &chunks[index];
        if *number != expected && is_fresh(text, now)? {
            chunks.truncate(index);
            break;
        }
        expected = number + 1;
    }
    Ok(chunks)
}

fn is_fresh(text: &str, now: Timestamp) -> Result<bool, Error> {
    let lines: Vec<LogLine> = serde_json::from_str(text).map_err(Error::internal)?;
    Ok(lines.last().is_some_and(|line| line.at + AWAITED > now))
}

fn own_lines(run: &Run) -> Result<Vec<Box<RawValue>>, Error> {
    run.log.as_deref().map_or(Ok(Vec::new()), lines)
}

/// A line as the answer has it.
#[derive(Serialize)]
struct Line {
    attempt: u32,
    at: Timestamp,
    level: Level,
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<String>,
    message: String,
}

fn lines(text: &str) -> Result<Vec<Box<RawValue>>, Error> {
    let lines: Vec<LogLine> = serde_json::from_str(text).map_err(Error::internal)?;
    lines.into_iter().map(line).collect()
}

fn line(line: LogLine) -> Result<Box<RawValue>, Error> {
    let LogLine { at, level, component, message, attempt } = line;
    to_raw_value(&Line { attempt, at, level, component, message }).map_err(Error::internal)
}

//! The traces of a task's objects, for watchers: the worker of an object writes its trace when the object has ended, and
//! every connection of every process reads it.
//!
//! It is written only if the task was opened with a trace level, or a component had a message. A source that makes its
//! own objects has a chunk for each step of its run instead.

use crate::answer::TaskStatus;
use crate::error::Error;
use crate::plane::{Call, Plane};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Tree};
use tidemill_engine::{EVENT_LIMIT, TraceEvents};
pub use tidemill_engine::{Event, EventKind};
use tidemill_model::ids::RunId;
use tidemill_model::task::Trace;

/// How long it can be read.
pub const KEPT: SignedDuration = SignedDuration::from_hours(1);
/// Largest result that is shown, in bytes.
const RESULT_LIMIT: usize = 16 * 1024;
/// Steps of one object whose events are kept; an object is one step unless it makes many keys.
const STEPS_LIMIT: usize = 4;
/// Chunks that are read at once.
pub const CHUNKS: usize = 96;

/// The trace of an object, or of a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ObjectTrace {
    /// The number of the object's pipe; 0 for a step.
    pub pipe: u64,
    /// The object's name.
    pub name: String,
    pub began_at: Timestamp,
    pub ended_at: Timestamp,
    #[serde(flatten)]
    pub traced: TraceEvents,
    /// The result, from the level `summary` on and unless it is large.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub result: Map<String, Tree>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The task was opened with a trace level; otherwise only messages are shown.
    #[serde(default)]
    pub is_traced: bool,
}

impl ObjectTrace {
    /// Whether there is anything to show.
    pub fn is_worth_keeping(&self) -> bool {
        self.is_traced || !self.traced.is_empty()
    }

    pub(crate) fn text(&self) -> Result<String, Error> {
        serde_json::to_string(self).map_err(Error::internal)
    }
}

/// Adds the events of an object's next step, as long as there are not too many.
pub(crate) fn extend(traced: &mut TraceEvents, next: TraceEvents) {
    match traced.events.len() < EVENT_LIMIT * STEPS_LIMIT {
        true => traced.extend(next),
        false => traced.dropped += next.events.len() + next.dropped,
    }
}

/// The result as far as it is shown.
pub(crate) fn result(level: Trace, result: &Map<String, Tree>) -> Map<String, Tree> {
    let keeps_result = matches!(level, Trace::Summary | Trace::Full);
    match keeps_result && serde_json::to_string(result).is_ok_and(|text| text.len() <= RESULT_LIMIT) {
        true => result.clone(),
        false => Map::new(),
    }
}

/// The traces of a task's objects from a number on, with the numbers: up to [`CHUNKS`] of those that have not expired.
/// Objects end in any order, so a lower number may still come.
pub async fn read(plane: &Plane, call: &Call, task: &TaskStatus, from: u64) -> Result<Vec<(u64, ObjectTrace)>, Error> {
    let run = RunId::parse(task.run.as_str())?;
    let chunks = plane.store.traces(&call.owner, &task.place, &run, from, CHUNKS).await?;
    let read = |(number, text): (u64, String)| Ok((number, serde_json::from_str(&text).map_err(Error::internal)?));
    chunks.into_iter().map(read).collect()
}

/// The trace of one object, if it has ended.
pub async fn read_one(
    plane: &Plane,
    call: &Call,
    task: &TaskStatus,
    number: u64,
) -> Result<Option<ObjectTrace>, Error> {
    let run = RunId::parse(task.run.as_str())?;
    let text = plane.store.one_trace(&call.owner, &task.place, &run, number).await?;
    text.map(|text| serde_json::from_str(&text).map_err(Error::internal)).transpose()
}

/// How many steps of its run have a trace, if a task makes its own objects.
pub async fn steps(plane: &Plane, call: &Call, task: &TaskStatus) -> Result<u64, Error> {
    let run = plane.store.run(&call.owner, &task.place, &RunId::parse(task.run.as_str())?).await?;
    Ok(run.map_or(0, |run| run.trace_chunks.into()))
}

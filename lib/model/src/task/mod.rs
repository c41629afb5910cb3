//! A run that stays open for objects: who may address it how, how it ends, and what it counted.

mod next;
mod sums;

pub use next::{Step, check, next, next_with_run};
pub use sums::{ComponentSums, SUMS_LIMIT};

use crate::deployment_id::DeploymentId;
use crate::ids::{KeyId, OwnerId, RunId};
use crate::version::{number_or_none, sha256};
use jiff::{SignedDuration, Timestamp};
use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Open tasks that one owner may have.
pub const OPEN_LIMIT: u32 = 100;
/// Idle seconds after which a task ends, unless its caller says otherwise.
pub const IDLE_SECONDS: u32 = 900;
/// Objects of a task that one process works on at once, unless its caller says otherwise, and at most.
pub const THREADS: u32 = 4;
/// Most objects of a task that one process works on at once.
pub const THREADS_LIMIT: u32 = 64;
/// How long an ended task can still be asked about.
pub const READABLE: SignedDuration = SignedDuration::from_secs(300);
/// How long an object may go on arriving after its task was asked to end.
pub const ARRIVAL: SignedDuration = SignedDuration::from_secs(60);
/// Errors of objects that a task remembers.
pub const ERRORS_LIMIT: usize = 50;
/// Largest object that may be announced, in bytes: 1 TiB. What is announced is counted before it arrives.
pub const SIZE_LIMIT: u64 = 1 << 40;

/// One task. It is found by its token, whose hash is its key in the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// What callers address it by: unguessable, unless its caller chose the text.
    pub token: String,
    /// Its caller chose the token: it may be guessed, so it is no credential.
    #[serde(default)]
    pub has_chosen_token: bool,
    /// May send objects, and nothing else.
    pub public_token: String,
    /// Who owns it.
    pub owner: OwnerId,
    /// The deployment that its run belongs to.
    #[serde(rename = "project")]
    pub deployment: DeploymentId,
    /// The component that objects come in at.
    pub source: String,
    /// The source's provider.
    pub provider: String,
    /// Whether the source waits for objects. Another one makes its own, and the task ends with its run.
    pub waits: bool,
    /// The run that it is in the history.
    pub run: RunId,
    /// The key that it was opened with.
    pub key: KeyId,
    /// What its caller calls it.
    pub name: String,
    /// What its caller says that it is for.
    #[serde(default)]
    pub description: String,
    /// The version that it runs; `None` if its pipeline came with the call.
    #[serde(default, with = "number_or_none")]
    pub version: Option<u32>,
    /// Names the stored pipeline.
    pub pipeline_sha256: String,
    /// Names the stored plan.
    pub plan_sha256: String,
    /// The caller's variables, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variables: Option<String>,
    /// Objects that one process works on at once, 1 to [`THREADS_LIMIT`].
    pub threads: u32,
    /// How much of its objects' way is shown.
    pub trace: Trace,
    /// Idle seconds after which it ends; 0 is never.
    pub ttl_seconds: u32,
    /// Where it stands.
    pub state: State,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When data last came in or went out.
    pub used_at: Timestamp,
    /// When it was asked to end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Why it ended; `None` while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<End>,
    /// Objects that were accepted and have not ended.
    #[serde(default)]
    pub in_flight: i64,
    /// Until when their worker counts as alive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy_until: Option<Timestamp>,
    /// Moves when objects in flight are given up, so that their ends are not counted twice.
    #[serde(default)]
    pub epoch: u64,
    /// How often it was restarted.
    #[serde(default)]
    pub restarts: u32,
    /// Its objects so far.
    #[serde(flatten)]
    pub counts: Counts,
    /// What its components counted so far, over all of its objects.
    #[serde(flatten)]
    pub components: ComponentSums,
    /// The errors of its objects, up to [`ERRORS_LIMIT`].
    #[serde(default)]
    pub errors: Vec<String>,
    /// Rows of its log beside the record.
    #[serde(default)]
    pub log_chunks: u32,
    /// The object that was accepted last, and its bytes.
    #[serde(default)]
    pub current_object: String,
    /// Its bytes.
    #[serde(default)]
    pub current_size: u64,
}

/// Objects and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Objects that were accepted.
    #[serde(deserialize_with = "saturating")]
    pub total_count: u64,
    /// Bytes of the objects that were accepted.
    #[serde(deserialize_with = "saturating")]
    pub total_size: u64,
    /// Objects that came through.
    #[serde(deserialize_with = "saturating")]
    pub completed_count: u64,
    /// Bytes of the objects that came through.
    #[serde(deserialize_with = "saturating")]
    pub completed_size: u64,
    /// Objects that failed.
    #[serde(deserialize_with = "saturating")]
    pub failed_count: u64,
    /// Bytes of the objects that failed.
    #[serde(deserialize_with = "saturating")]
    pub failed_size: u64,
}

/// Reads a sum that the table added up: its numbers are larger than ours, and a sum that is too large for us must not
/// make the rest of the task unreadable.
fn saturating<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    struct Sum;

    impl Visitor<'_> for Sum {
        type Value = u64;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a number")
        }

        fn visit_u64<E>(self, sum: u64) -> Result<u64, E> {
            Ok(sum)
        }

        fn visit_i64<E>(self, sum: i64) -> Result<u64, E> {
            Ok(sum.try_into().unwrap_or(0))
        }

        fn visit_f64<E>(self, sum: f64) -> Result<u64, E> {
            Ok(sum as u64)
        }
    }

    deserializer.deserialize_any(Sum)
}

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Takes objects.
    Open,
    /// Takes no more objects; those that it took are finished.
    Ending,
    /// Takes no objects, and has none left.
    Ended,
}

impl State {
    /// The state's word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Open => "open",
            State::Ending => "ending",
            State::Ended => "ended",
        }
    }
}

/// Why a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// A caller asked for it.
    Terminated,
    /// No object came for as long as it may be idle.
    Idle,
    /// Its source had no more.
    Finished,
    /// Its run failed.
    Failed,
}

/// How much of an object's way through the pipeline is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trace {
    /// Nothing.
    #[default]
    None,
    /// Which components an object passes, without values.
    Metadata,
    /// Also the values, each cut to its beginning, and the result.
    Summary,
    /// As the summary, with sixteen times as much of each value.
    Full,
}

impl Trace {
    /// Finds a level by its name.
    pub fn named(name: &str) -> Option<Trace> {
        match name {
            "none" => Some(Trace::None),
            "metadata" => Some(Trace::Metadata),
            "summary" => Some(Trace::Summary),
            "full" => Some(Trace::Full),
            _ => None,
        }
    }
}

impl Task {
    /// What its run and its place in the table know of its token.
    pub fn token_hash(&self) -> String {
        sha256(self.token.as_bytes())
    }

    /// Its public id, in lists and events: it is no credential.
    pub fn display_id(&self) -> String {
        let start: String = self.token.trim_start_matches("tk_").chars().take(8).collect();
        format!("{start}.{}", self.source)
    }

    /// Whether a worker has its objects.
    pub fn is_busy(&self, now: Timestamp) -> bool {
        self.in_flight > 0 && self.busy_until.is_some_and(|until| until > now)
    }

    /// Whether nothing came for as long as it may be idle.
    pub fn is_idle(&self, now: Timestamp) -> bool {
        let limit = SignedDuration::from_secs(self.ttl_seconds.into());
        self.waits && self.ttl_seconds > 0 && !self.is_busy(now) && now.duration_since(self.used_at) >= limit
    }

    /// How long from `now` an object of it may still arrive; `None` is as long as it takes.
    pub fn arrival(&self, now: Timestamp) -> Option<SignedDuration> {
        let until = self.stopped_at? + ARRIVAL;
        Some(until.duration_since(now).max(SignedDuration::ZERO))
    }

    /// Whether it can be asked about: it has not ended, or not long ago.
    pub fn is_readable(&self, now: Timestamp) -> bool {
        self.ended_at.is_none_or(|at| now.duration_since(at) < READABLE)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

//! One execution of one version, and the legal moves of its state.

mod counts;
mod turn;

pub use counts::ComponentCounts;
pub use turn::Claim;

use crate::deployment_id::DeploymentId;
use crate::ids::{OwnerId, RunId};
use crate::lease::{Lease, Process};
use crate::unknown::Unknown;
use crate::version::number_or_none;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// Who owns it.
    pub owner: OwnerId,
    /// The deployment that it runs for.
    #[serde(rename = "project")]
    pub deployment: DeploymentId,
    /// The version that it executes; `None` if it is a task whose pipeline came with the call.
    #[serde(default, with = "number_or_none")]
    pub version: Option<u32>,
    /// What started it.
    pub trigger: Trigger,
    /// Where it stands.
    pub state: State,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// Attempts before it fails for good, 1 to 10.
    pub max_attempts: u32,
    /// How long one attempt may take, 1 to 86,400.
    pub timeout_seconds: u32,
    /// The due minute that it was made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tick: Option<Timestamp>,
    /// The due minute before that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_tick: Option<Timestamp>,
    /// When it was made.
    pub queued_at: Timestamp,
    /// When its first attempt began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When the attempt in hand was claimed first, by whichever worker: its time limit counts from then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt_started_at: Option<Timestamp>,
    /// When it came to its final state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// An attempt that waits for its backoff does not start before this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Why its last attempt failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    /// The sha256 of the stored input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// The input itself, where it is small, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub small_input: Option<String>,
    /// What the response components made, as JSON text, when it is small; else `result_sha256` names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// Names the stored result of a run whose result is too large for the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_sha256: Option<String>,
    /// The last log lines, as a JSON list, when they were few enough to stay here; the earlier ones are in `log_chunks` rows of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// Rows of its log beside the record.
    #[serde(default)]
    pub log_chunks: u32,
    /// The last so many of these rows were written during a step that is not saved. A worker that redoes the step makes their lines again.
    #[serde(default, skip_serializing_if = "is_none")]
    pub log_ahead: u32,
    /// The first so many lines of those rows were made again by steps that are saved by now.
    #[serde(default, skip_serializing_if = "is_none")]
    pub log_redone: u32,
    /// Chunks of its trace, for watchers.
    #[serde(default)]
    pub trace_chunks: u32,
    /// Objects that came out of the source so far.
    #[serde(default)]
    pub objects: u64,
    /// Values that its components lost so far, for whatever reason.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dropped: u64,
    /// [`ComponentCounts`] of its components as a JSON list, when that is small.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub components: Option<String>,
    /// The sha256 of that list once the run has ended, where it is not small.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub components_sha256: Option<String>,
    /// Its last checkpoint, where that is too large for an item of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub large_checkpoint: Option<LargeCheckpoint>,
    /// The right to execute it, while a worker holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
    /// How often the right to run it was taken; fences off its earlier holders.
    #[serde(default)]
    pub epoch: u64,
    /// Workers that died in a row without saving progress.
    #[serde(default)]
    pub deaths: u32,
    /// Processes that died while they executed it for a worker, which lived on.
    #[serde(default, skip_serializing_if = "is_none")]
    pub engine_deaths: u32,
    /// When a caller asked for its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_requested_at: Option<Timestamp>,
    /// The hash of its task's token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// The plan that it takes instead of its version's: that of an environment's source, or of a task that makes its own objects. A task
    /// that waits for objects is not executed as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_sha256: Option<String>,
    /// It has no record of its own yet: its deployment carries it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_carried: bool,
    /// What a newer version wrote, written back as it was.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// What started a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// A due minute.
    Schedule,
    /// A request at the hook's URL.
    Webhook,
    /// A name on the wire by which this version starts no run.
    Call,
    /// A caller that asked for a run now.
    Manual,
    /// A task that was opened.
    Task,
}

impl Trigger {
    /// The trigger's word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Trigger::Schedule => "schedule",
            Trigger::Webhook => "webhook",
            Trigger::Call => "call",
            Trigger::Manual => "manual",
            Trigger::Task => "task",
        }
    }
}

/// Where a run stands. The last four are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It waits for a worker, its turn or its backoff.
    Queued,
    /// A worker executes it.
    Running,
    /// Every object came through.
    Succeeded,
    /// Its last attempt failed.
    Failed,
    /// A caller ended it.
    Cancelled,
    /// Its last attempt took longer than it may.
    TimedOut,
}

impl State {
    /// The state's word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Queued => "queued",
            State::Running => "running",
            State::Succeeded => "succeeded",
            State::Failed => "failed",
            State::Cancelled => "cancelled",
            State::TimedOut => "timed_out",
        }
    }

    /// Whether it has ended.
    pub fn is_final(self) -> bool {
        !matches!(self, State::Queued | State::Running)
    }

    /// Whether it ended without doing what it was to do, and no caller wanted that.
    pub fn is_failure(self) -> bool {
        matches!(self, State::Failed | State::TimedOut)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

fn is_none(count: &u32) -> bool {
    *count == 0
}

/// Names a checkpoint that is stored in chunks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LargeCheckpoint {
    /// The sha256 of its text.
    pub sha256: String,
    /// How many chunks it has.
    pub chunks: u32,
}

/// What went wrong, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The id of the component that failed, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// What happened.
    pub message: String,
    /// What to do, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl fmt::Display for Failure {
    /// The component and the message: `post: the server answered 500`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.component {
            Some(component) => write!(f, "{component}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// It came to its end.
    Succeeded,
    /// It met an error.
    Failed {
        /// What went wrong.
        failure: Failure,
        /// Another attempt may succeed.
        retryable: bool,
    },
    /// A caller asked for its end.
    Cancelled,
    /// It took longer than it may.
    TimedOut,
}

/// What follows an attempt's end.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// The run is over.
    Final(State, Option<Failure>),
    /// Another attempt, after a delay.
    Retry {
        /// How long the run waits first, at most [`LONGEST_DELAY`].
        delay: Duration,
        /// Why the last attempt failed.
        failure: Failure,
    },
}

/// Where the input of a run is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeptInput {
    /// In its record: the input as JSON.
    WithTheRun(String),
    /// As a body of its own, named by its sha256.
    Apart(String),
}

/// How long a run may have taken for the next one to be expected to be as short: half of what a tick's worker gives it.
const SHORT: SignedDuration = SignedDuration::from_secs(5);
/// First delay before a retry; it doubles with every attempt.
const FIRST_DELAY: Duration = Duration::from_secs(1);
/// Longest delay before a retry.
const LONGEST_DELAY: Duration = Duration::from_secs(300);

impl Run {
    /// A run by hand of no version that waits to be executed, in one attempt of a day; its maker says otherwise.
    pub fn queued(id: RunId, owner: OwnerId, deployment: DeploymentId, at: Timestamp) -> Run {
        Run {
            id,
            owner,
            deployment,
            version: None,
            trigger: Trigger::Manual,
            state: State::Queued,
            attempt: 1,
            max_attempts: 1,
            timeout_seconds: 86_400,
            tick: None,
            previous_tick: None,
            queued_at: at,
            started_at: None,
            attempt_started_at: None,
            ended_at: None,
            not_before: None,
            error: None,
            input: None,
            small_input: None,
            result: None,
            result_sha256: None,
            log: None,
            log_chunks: 0,
            log_ahead: 0,
            log_redone: 0,
            trace_chunks: 0,
            objects: 0,
            dropped: 0,
            components: None,
            components_sha256: None,
            large_checkpoint: None,
            lease: None,
            epoch: 0,
            deaths: 0,
            engine_deaths: 0,
            cancel_requested_at: None,
            task: None,
            plan_sha256: None,
            is_carried: false,
            unknown: Unknown::default(),
        }
    }

    /// The same run, which is handed an input.
    pub fn with_input(self, input: KeptInput) -> Run {
        match input {
            KeptInput::WithTheRun(text) => Run { small_input: Some(text), ..self },
            KeptInput::Apart(sha256) => Run { input: Some(sha256), ..self },
        }
    }

    /// Whether it is handed an input.
    pub fn has_input(&self) -> bool {
        self.input.is_some() || self.small_input.is_some()
    }

    /// The run as a list shows it: without its result and what its components counted.
    pub fn without_details(self) -> Run {
        Run { result: None, components: None, ..self }
    }

    /// How long it took, from the start of its first attempt; `None` while it goes on, or if it never began.
    pub fn duration(&self) -> Option<SignedDuration> {
        Some(self.ended_at?.duration_since(self.started_at?))
    }

    /// Whether the next run of the same version is likely to be through within seconds: this one was, at the first attempt.
    pub fn was_short(&self) -> bool {
        let was_undisturbed = self.state == State::Succeeded && (self.attempt, self.epoch) == (1, 1);
        was_undisturbed && self.duration().is_some_and(|took| took <= SHORT)
    }

    /// When the attempt in hand has taken as long as it may; for one that was not claimed yet, if it is claimed `now`.
    pub fn time_is_up(&self, now: Timestamp) -> Timestamp {
        self.attempt_started_at.unwrap_or(now) + SignedDuration::from_secs(self.timeout_seconds.into())
    }

    /// Whether it is a task that waits for objects: each object is worked on where it comes in.
    pub fn is_open_task(&self) -> bool {
        self.task.is_some() && self.plan_sha256.is_none()
    }

    /// Whether a worker may take it at `now`: it waits and its time has come, or its holder is gone.
    pub fn may_be_claimed(&self, now: Timestamp, by: Process<'_>) -> bool {
        match self.state {
            State::Queued => self.not_before.is_none_or(|at| at <= now),
            State::Running => !self.is_held(now, by),
            _ => false,
        }
    }

    /// Whether a worker holds it, as `by` sees it.
    pub fn is_held(&self, now: Timestamp, by: Process<'_>) -> bool {
        self.lease.as_ref().is_some_and(|lease| lease.holds(now, by))
    }

    /// Decides what follows the end of an attempt. `jitter` is drawn evenly from 0 to 1 and spreads the delays over
    /// their whole range ("full jitter").
    pub fn after(&self, ended: Ended, jitter: f64) -> Next {
        match ended {
            Ended::Succeeded => Next::Final(State::Succeeded, None),
            Ended::Cancelled => Next::Final(State::Cancelled, None),
            Ended::TimedOut => Next::Final(State::TimedOut, Some(self.timeout_failure())),
            Ended::Failed { failure, retryable } if retryable && self.attempt < self.max_attempts => {
                let bound = FIRST_DELAY.saturating_mul(1 << (self.attempt - 1).min(16)).min(LONGEST_DELAY);
                Next::Retry { delay: bound.mul_f64(jitter.clamp(0.0, 1.0)), failure }
            }
            Ended::Failed { failure, .. } => Next::Final(State::Failed, Some(failure)),
        }
    }

    fn timeout_failure(&self) -> Failure {
        Failure {
            component: None,
            message: format!("the run took longer than its limit of {} s", self.timeout_seconds),
            hint: Some("raise `timeoutSeconds` of the deployment, or give the pipeline less to do".into()),
        }
    }
}

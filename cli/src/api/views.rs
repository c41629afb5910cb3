//! The API's answers, as far as people see them. With `--json` its own text is printed instead.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tidemill_model::git::Git;
use tidemill_model::pipeline::Problem;
use tidemill_model::pipeline::written::WrittenPipeline;
use tidemill_model::run;

/// One of several things that are wrong.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Detail {
    /// The file that it is about, where there is one here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Where in the file the field stands, from 1; columns are characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl From<Problem> for Detail {
    fn from(problem: Problem) -> Detail {
        let Problem { component, field, message, hint, .. } = problem;
        Detail { component, field, hint: Some(hint), ..Detail::of(message) }
    }
}

impl From<tidemill_operations::Detail> for Detail {
    fn from(detail: tidemill_operations::Detail) -> Detail {
        let tidemill_operations::Detail { component, field, message, hint } = detail;
        Detail { component, field, hint, ..Detail::of(message) }
    }
}

impl Detail {
    /// Something that is wrong as a whole.
    pub fn of(message: String) -> Detail {
        Detail { file: None, line: None, column: None, component: None, field: None, message, hint: None }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployment {
    pub project: String,
    pub state: String,
    pub note: Option<String>,
    pub error: Option<String>,
    pub schedule: String,
    pub timezone: String,
    pub next: Vec<Timestamp>,
    pub version: u32,
    /// None for a key that may only look.
    pub hook: Option<String>,
    pub catch_up_seconds: u32,
    pub max_attempts: u32,
    pub timeout_seconds: u32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub last_run: Option<LastRun>,
    #[serde(default)]
    pub warnings: Vec<Detail>,
    pub pipeline: Option<Box<RawValue>>,
    /// As it was sent, if that is not JSON.
    pub pipeline_text: Option<Box<RawValue>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LastRun {
    pub state: String,
    pub ended_at: Option<Timestamp>,
}

impl LastRun {
    pub fn is_failure(&self) -> bool {
        matches!(self.state.as_str(), "failed" | "timed_out")
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    pub version: u32,
    pub sha256: String,
    pub bytes: u64,
    pub components: u32,
    pub created_at: Timestamp,
    pub created_by: String,
    pub note: Option<String>,
    /// The rollout that made it.
    pub rollout: Option<String>,
    pub git: Option<Git>,
    pub pipeline: Option<Box<RawValue>>,
    /// As it was sent, if that is not JSON.
    pub pipeline_text: Option<WrittenPipeline>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    pub id: String,
    pub project: String,
    pub environment: Option<String>,
    pub version: u32,
    pub trigger: String,
    pub state: String,
    pub attempt: u32,
    pub tick: Option<Timestamp>,
    pub queued_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub duration_ms: Option<i64>,
    pub objects: u64,
    #[serde(default)]
    pub dropped: u64,
    #[serde(default)]
    pub components: Vec<ComponentCounts>,
    pub error: Option<run::Failure>,
    pub cancel_requested_at: Option<Timestamp>,
    pub result: Option<Box<RawValue>>,
}

impl Run {
    pub fn is_final(&self) -> bool {
        !matches!(self.state.as_str(), "queued" | "running")
    }
}

/// What a component of a run counted.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ComponentCounts {
    pub id: String,
    #[serde(rename = "in")]
    pub taken: u64,
    #[serde(rename = "out")]
    pub given: u64,
    pub filtered: u64,
    pub failed: u64,
    pub dropped: Vec<Dropped>,
    pub duration_ms: u64,
}

#[derive(Debug, Deserialize, Serialize)]
pub struct Dropped {
    pub reason: String,
    pub count: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Logs {
    pub run: String,
    pub state: String,
    #[serde(default = "first_attempt")]
    pub attempt: u32,
    #[serde(default = "first_attempt")]
    pub max_attempts: u32,
    #[serde(default)]
    pub objects: u64,
    #[serde(default)]
    pub components: Vec<ComponentCounts>,
    pub items: Vec<Box<RawValue>>,
    pub next: u32,
    pub complete: bool,
}

/// A plane of an earlier version does not say which.
fn first_attempt() -> u32 {
    1
}

#[derive(Debug, Deserialize)]
pub struct LogLine {
    #[serde(default = "first_attempt")]
    pub attempt: u32,
    pub at: Timestamp,
    pub level: String,
    pub component: Option<String>,
    pub message: String,
}

#[derive(Debug, Deserialize)]
pub struct Tick {
    pub at: Timestamp,
    pub outcome: String,
    pub reason: Option<String>,
    pub run: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Why {
    pub time: Timestamp,
    pub outcome: String,
    pub run: Option<String>,
    pub explanation: String,
    pub schedule: Option<String>,
    #[serde(default)]
    pub timezone: Option<String>,
    #[serde(rename = "clockNote")]
    pub clock_note: Option<String>,
    pub previous: Option<Timestamp>,
    pub next: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
pub struct Diagnosis {
    pub healthy: bool,
    pub deployments: usize,
    pub findings: Vec<Finding>,
}

#[derive(Debug, Deserialize)]
pub struct Finding {
    pub check: String,
    pub project: String,
    pub message: String,
    pub fixed: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Key {
    pub id: String,
    pub name: Option<String>,
    pub scopes: Vec<String>,
    pub state: String,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    pub key: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Secret {
    pub name: String,
    pub updated_at: Timestamp,
}

//! What the API answers about rollouts and groups, as far as people are shown it.

use crate::api::views::Detail;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use tidemill_model::git::Git;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rollout {
    pub id: String,
    pub group: String,
    pub purpose: String,
    pub state: String,
    pub step: String,
    /// Percent.
    pub progress: u8,
    pub resources: u32,
    pub settled: u32,
    pub git: Option<Git>,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub cancel_requested_at: Option<Timestamp>,
    pub error: Option<RolloutError>,
    /// What is probably not meant, in the answer to its start.
    #[serde(default)]
    pub warnings: Vec<Detail>,
    /// The outcome of each resource that is settled, if the request wants them.
    #[serde(default)]
    pub items: Vec<Box<RawValue>>,
}

impl Rollout {
    pub fn is_final(&self) -> bool {
        !matches!(self.state.as_str(), "pending" | "running")
    }

    pub fn stand(&self) -> Progress {
        let Rollout { step, progress, settled, resources, .. } = self;
        Progress { step: step.clone(), progress: *progress, settled: *settled, resources: *resources }
    }
}

/// How far a rollout is.
#[derive(Clone, Debug, Deserialize)]
pub struct Progress {
    pub step: String,
    /// Percent.
    pub progress: u8,
    pub settled: u32,
    pub resources: u32,
}

#[derive(Debug, Deserialize)]
pub struct RolloutError {
    pub code: String,
    pub message: String,
}

#[derive(Debug, Deserialize)]
pub struct Resource {
    pub project: String,
    pub action: Option<String>,
    pub outcome: String,
    pub version: Option<u32>,
    pub message: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    pub group: String,
    pub title: String,
    pub repository: Option<String>,
    pub running: Option<String>,
    pub last_rollout: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    #[serde(default)]
    pub members: Vec<Member>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    pub logical_id: String,
    pub project: String,
}

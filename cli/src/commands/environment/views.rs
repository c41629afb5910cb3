//! What the API answers about environments, as far as people are shown it.

use crate::api::views::Detail;
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Environment {
    pub environment: String,
    pub project: String,
    pub version: u32,
    pub state: String,
    pub name: Option<String>,
    pub sources: BTreeMap<String, Source>,
    pub revision: u64,
    pub deployed_at: Timestamp,
    pub sha256: String,
    /// After a move: the version that was live before.
    #[serde(default)]
    pub from_version: Option<u32>,
    #[serde(default)]
    pub warnings: Vec<Detail>,
}

/// How a source runs there.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    pub schedule: String,
    pub timezone: String,
    pub paused: bool,
    pub ttl_seconds: Option<u32>,
    pub last_run_at: Option<Timestamp>,
    pub error: Option<String>,
}

impl Source {
    pub fn state(&self) -> &'static str {
        match (&self.error, self.paused) {
            (Some(_), _) => "errored",
            (None, true) => "paused",
            (None, false) => "active",
        }
    }
}

/// A row of the history.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    pub at: Timestamp,
    pub operation: String,
    pub source: Option<String>,
    pub from_version: Option<u32>,
    pub version: u32,
    pub key: String,
}

/// A task that was started.
#[derive(Debug, Deserialize)]
pub struct Started {
    pub run: String,
    pub version: u32,
}

//! One asynchronous deploy: what it is to bring live, how far it is, and who may go on with it.

mod next;

pub use next::{
    AT_ONCE, ATTEMPTS, Cause, End, Next, Progress, Start, Work, check, check_progress, in_row, next, start,
};

use crate::git::Git;
use crate::ids::{GroupName, KeyId, LogicalId, OwnerId, ProjectId, RolloutId};
use crate::invalid::Invalid;
use crate::lease::Lease;
use crate::unknown::Unknown;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Most resources of one rollout.
pub const RESOURCES_LIMIT: usize = 5000;
/// Longest name of a kind of resource, in characters.
pub const KIND_LIMIT: usize = 64;
/// Longest title of a group, in characters.
pub const TITLE_LIMIT: usize = 256;
/// Longest address of a group's repository, in characters.
pub const REPOSITORY_LIMIT: usize = 1024;

/// Checks what a group is shown by.
pub fn checked_names(title: Option<&str>, repository: Option<&str>) -> Result<(), Invalid> {
    for (what, text, limit) in [("title", title, TITLE_LIMIT), ("repository", repository, REPOSITORY_LIMIT)] {
        let count = text.map_or(0, |text| text.chars().count());
        if count > limit {
            let message = format!("`{what}` has {count} characters, the limit is {limit}");
            return Err(Invalid::new(what, message, "shorten it"));
        }
    }
    Ok(())
}

/// Pipelines that are rolled out together, by one rollout at a time: its `active_rollout`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Who owns it.
    pub owner: OwnerId,
    /// Its name, unique within its owner.
    pub name: GroupName,
    /// What people call it.
    pub title: String,
    /// Where its pipelines are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// The rollout that holds the right to change the group.
    #[serde(rename = "running", default, skip_serializing_if = "Option::is_none")]
    pub active_rollout: Option<RolloutId>,
    /// The last rollout that held that right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<RolloutId>,
    /// Moves with every change, and never back.
    pub revision: u64,
    /// It was removed, and stays for its revision.
    #[serde(default)]
    pub is_removed: bool,
    /// When it was created; after a removal, when it was created again.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// What a newer version wrote, written back as it was.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A pipeline that a group brought live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The group.
    pub group: GroupName,
    /// What the group knows the pipeline by.
    pub logical_id: LogicalId,
    /// What its caller calls the kind of thing that it is.
    pub kind: String,
    /// The project that the pipeline is deployed as.
    pub project: ProjectId,
}

/// One rollout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rollout {
    /// Its id.
    pub id: RolloutId,
    /// Who owns it.
    pub owner: OwnerId,
    /// The group that it changes.
    pub group: GroupName,
    /// What it is for.
    pub purpose: Purpose,
    /// Names the stored request.
    pub request_sha256: String,
    /// Where it stands.
    pub state: State,
    /// What it is busy with.
    pub step: Step,
    /// How many resources it has; known for certain once it is past [`Step::Validate`].
    pub resources: u32,
    /// The first so many of them have their outcome.
    pub settled: u32,
    /// Percent. It never goes back.
    pub progress: u8,
    /// The commit of its pipelines, as far as its caller said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<Git>,
    /// Fields of `git` that were too long.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cut: Vec<String>,
    /// The key that asked for it.
    pub key: KeyId,
    /// When it was requested.
    pub created_at: Timestamp,
    /// When a worker first began with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it came to its final state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// When a caller asked for its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_requested_at: Option<Timestamp>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    /// The right to go on with it, while a worker holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
    /// How often the right to go on with it was taken; fences off its earlier holders.
    #[serde(default)]
    pub epoch: u64,
    /// Attempts in a row that met an error before they settled anything.
    #[serde(default)]
    pub attempts: u32,
    /// Workers in a row that died at it before they settled anything.
    #[serde(default)]
    pub deaths: u32,
    /// The epoch of the worker that came last to a step of its own: only then may the rollout be what kills it.
    #[serde(default)]
    pub begun: u64,
    /// When the sweep last rang for it, because no worker held it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rung: Option<Rung>,
}

/// A bell of the sweep for a rollout without a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    /// The rollout's when the bell rang: with another one, a worker has come.
    pub epoch: u64,
    /// When it rang.
    pub at: Timestamp,
}

/// What a rollout is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To bring pipelines live.
    Deploy,
    /// To take a group off.
    Remove,
}

/// What becomes of members that a rollout does not name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gone {
    /// They stay as they are.
    #[default]
    Leave,
    /// Their deployments are removed.
    Prune,
    /// Their deployments stay, and are members no more.
    Keep,
}

/// Where a rollout stands. The last three are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It waits for a worker.
    Pending,
    /// A worker has begun.
    Running,
    /// Every resource was applied.
    Succeeded,
    /// A resource failed, or its workers did. Resources that were applied stay so.
    Failed,
    /// A caller ended it. Resources that were applied stay so.
    Cancelled,
}

impl State {
    /// The state's word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::Running => "running",
            State::Succeeded => "succeeded",
            State::Failed => "failed",
            State::Cancelled => "cancelled",
        }
    }

    /// Whether it has ended.
    pub fn is_final(self) -> bool {
        !matches!(self, State::Pending | State::Running)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a rollout is busy with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// It waits for a worker.
    Wait,
    /// Every pipeline is compiled; nothing has changed.
    Validate,
    /// One resource after the other is brought live, or taken off.
    Apply,
    /// It has ended.
    Done,
}

impl Step {
    /// The step's word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Step::Wait => "wait",
            Step::Validate => "validate",
            Step::Apply => "apply",
            Step::Done => "done",
        }
    }
}

/// Why a rollout failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// A word for programs, e.g. `invalid_pipeline`.
    pub code: String,
    /// What happened and what to do, for people.
    pub message: String,
}

/// What a rollout did with one resource. It is written once, in the transaction that does it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// From 0, in the order of the request; those that are gone come last.
    pub index: u32,
    /// What the group knows it by.
    pub logical_id: LogicalId,
    /// What its caller calls the kind of thing that it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// The project that it is deployed as.
    pub project: ProjectId,
    /// `None` if it was not looked at.
    #[serde(default)]
    pub action: Option<Action>,
    /// What became of it.
    pub outcome: Outcome,
    /// What is live now, unless nothing is.
    #[serde(default)]
    pub version: Option<u32>,
    /// Why it was not done.
    #[serde(default)]
    pub message: Option<String>,
}

/// What is to be done with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Its project has no deployment yet.
    Create,
    /// Its deployment differs.
    Update,
    /// Its deployment is as it should be.
    Unchanged,
    /// Its deployment is removed.
    Delete,
    /// Its deployment stays and is no member any more.
    Detach,
}

/// What became of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is as the rollout says, wholly.
    Applied,
    /// It is as it was before, wholly.
    Failed,
    /// The rollout ended before its turn; it is as it was before.
    NotReached,
}

/// Percent that a rollout shows when everything was validated; the rest is its resources'.
const VALIDATED: u32 = 5;

/// The percentage of a rollout that has settled so many of its resources, from 5 to 99: 100 is a success.
pub fn progress(settled: u32, resources: u32) -> u8 {
    let share = match resources {
        0 => 99 - VALIDATED,
        _ => (99 - VALIDATED) * settled.min(resources) / resources,
    };
    (VALIDATED + share) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_grows_with_each_resource_and_leaves_the_last_percent_for_the_end() {
        let shown: Vec<u8> = (0..=10).map(|settled| progress(settled, 10)).collect();

        assert!(shown.is_sorted() && shown.windows(2).all(|pair| pair[0] < pair[1]), "{shown:?}");
        assert_eq!((progress(0, 5000), progress(5000, 5000), progress(0, 0)), (5, 99, 99));
    }
}

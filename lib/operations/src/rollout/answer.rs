//! What operations answer about rollouts and groups.

use crate::error::Detail;
use jiff::Timestamp;
use serde::Serialize;
use tidemill_model::git::Git;
use tidemill_model::rollout::{Failure, Group, Purpose, Resource, Rollout, State, Step};

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RolloutAnswer {
    pub id: String,
    pub group: String,
    pub purpose: Purpose,
    pub state: State,
    pub step: Step,
    /// Percent.
    pub progress: u8,
    pub resources: u32,
    /// The first so many resources have their outcome.
    pub settled: u32,
    pub git: Option<Git>,
    /// Fields of `git` that were too long and are cut.
    pub cut: Vec<String>,
    /// The id of the key that asked.
    pub created_by: String,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub cancel_requested_at: Option<Timestamp>,
    pub error: Option<Failure>,
    /// What is probably not meant with its pipelines; in the answer to its start alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Detail>,
    /// What became of each resource, as far as it is settled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<Resource>>,
}

impl RolloutAnswer {
    pub fn of(rollout: Rollout) -> RolloutAnswer {
        RolloutAnswer {
            id: rollout.id.to_string(),
            group: rollout.group.to_string(),
            purpose: rollout.purpose,
            state: rollout.state,
            step: rollout.step,
            progress: rollout.progress,
            resources: rollout.resources,
            settled: rollout.settled,
            git: rollout.git,
            cut: rollout.cut,
            created_by: rollout.key.to_string(),
            created_at: rollout.created_at,
            started_at: rollout.started_at,
            ended_at: rollout.ended_at,
            cancel_requested_at: rollout.cancel_requested_at,
            error: rollout.error,
            warnings: Vec::new(),
            items: None,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupAnswer {
    pub group: String,
    pub title: String,
    pub repository: Option<String>,
    /// The rollout that is going on in the group.
    pub running: Option<String>,
    /// Its last one, active or ended.
    pub last_rollout: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<MemberAnswer>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MemberAnswer {
    pub logical_id: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub project: String,
}

impl From<Group> for GroupAnswer {
    fn from(group: Group) -> GroupAnswer {
        GroupAnswer {
            group: group.name.to_string(),
            title: group.title,
            repository: group.repository,
            running: group.active_rollout.map(String::from),
            last_rollout: group.last.map(String::from),
            created_at: group.created_at,
            updated_at: group.updated_at,
            members: None,
        }
    }
}

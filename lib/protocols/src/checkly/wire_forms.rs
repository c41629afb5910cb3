//! The wire forms of Checkly's clients: rollouts as their deployments, groups as their projects.

use jiff::Timestamp;
use serde::Serialize;
use std::collections::HashSet;
use tidemill_model::rollout::{Action, Failure, Group, Outcome, Purpose, Resource, State};
use tidemill_operations::rollout::{
    answer::{GroupAnswer, RolloutAnswer},
    details::ResourceChange,
};

/// A rollout.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployment {
    id: String,
    logical_id: String,
    status: String,
    dry_run: bool,
    progress: u8,
    error: Option<Failure>,
    result: Option<Outcomes>,
    created_at: Timestamp,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    cancel_requested_at: Option<Timestamp>,
}

/// What a deployment has done, or would do.
#[derive(Clone, Debug, Serialize)]
pub struct Outcomes {
    project: Project,
    diff: Vec<Entry>,
}

/// A group, as part of a deployment.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Project {
    pub id: String,
    pub logical_id: String,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repo_url: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Option<Timestamp>,
}

/// A group by itself, whose times are spelled in another way there.
#[derive(Debug, Serialize)]
pub struct ListedProject {
    id: String,
    name: String,
    #[serde(rename = "logicalId")]
    logical_id: String,
    #[serde(rename = "repoUrl")]
    repo_url: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// What became of a resource.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    logical_id: String,
    physical_id: String,
    #[serde(rename = "type")]
    kind: String,
    action: &'static str,
}

impl Deployment {
    /// A rollout, with what it did if that is known and it has succeeded. One that destroys its project leaves no
    /// outcome.
    pub fn of(rollout: RolloutAnswer, project: Option<&Project>) -> Deployment {
        let has_result = rollout.state == State::Succeeded && rollout.purpose == Purpose::Deploy;
        let result = match (project, rollout.items) {
            (Some(project), Some(resources)) if has_result => {
                Some(Outcomes::of(project.clone(), resources.iter().filter_map(done).collect()))
            }
            _ => None,
        };
        Deployment {
            id: rollout.id,
            logical_id: rollout.group,
            status: rollout.state.as_str().to_uppercase(),
            dry_run: false,
            progress: rollout.progress,
            error: rollout.error,
            result,
            created_at: rollout.created_at,
            started_at: rollout.started_at,
            ended_at: rollout.ended_at,
            cancel_requested_at: rollout.cancel_requested_at,
        }
    }
}

impl Outcomes {
    /// What is gone is not in the client's project any more. A client looks for it under its type, and takes no type that
    /// it has nothing of but `check`.
    pub fn of(project: Project, mut diff: Vec<Entry>) -> Outcomes {
        let is_gone = |entry: &Entry| matches!(entry.action, "DELETE" | "DETACHED");
        let sent: HashSet<String> =
            diff.iter().filter(|entry| !is_gone(entry)).map(|entry| entry.kind.clone()).collect();
        for entry in diff.iter_mut().filter(|entry| is_gone(entry) && !sent.contains(&entry.kind)) {
            entry.kind = "check".to_owned();
        }
        Outcomes { project, diff }
    }
}

impl Project {
    /// What is known of a project that has been destroyed, by one of its deployments.
    pub fn destroyed(rollout: &RolloutAnswer) -> Project {
        Project {
            id: rollout.group.clone(),
            logical_id: rollout.group.clone(),
            name: rollout.group.clone(),
            repo_url: None,
            created_at: rollout.created_at,
            updated_at: None,
        }
    }
}

impl From<Group> for Project {
    fn from(group: Group) -> Project {
        Project {
            id: group.name.to_string(),
            logical_id: group.name.into(),
            name: group.title,
            repo_url: group.repository,
            created_at: group.created_at,
            updated_at: Some(group.updated_at),
        }
    }
}

impl From<GroupAnswer> for ListedProject {
    fn from(group: GroupAnswer) -> ListedProject {
        ListedProject {
            id: group.group.clone(),
            name: group.title,
            logical_id: group.group,
            repo_url: group.repository,
            created_at: group.created_at,
            updated_at: group.updated_at,
        }
    }
}

impl From<ResourceChange> for Entry {
    fn from(change: ResourceChange) -> Entry {
        Entry {
            logical_id: change.logical_id,
            physical_id: change.project,
            kind: change.kind,
            action: word(change.action),
        }
    }
}

fn done(resource: &Resource) -> Option<Entry> {
    let action = resource.action.filter(|_| resource.outcome == Outcome::Applied)?;
    Some(Entry {
        logical_id: resource.logical_id.to_string(),
        physical_id: resource.project.as_str().to_owned(),
        kind: resource.kind.clone(),
        action: word(action),
    })
}

/// Clients know no word for what is as it was.
fn word(action: Action) -> &'static str {
    match action {
        Action::Create => "CREATE",
        Action::Update | Action::Unchanged => "UPDATE",
        Action::Delete => "DELETE",
        Action::Detach => "DETACHED",
    }
}

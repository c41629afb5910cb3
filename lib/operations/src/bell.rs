//! Bells: messages that say where there may be work, the queues that carry them, and what becomes of one that rang.

use std::time::Duration;
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::ids::{GroupName, OwnerId, RolloutId, RunId};
use tidemill_model::rollout::Rollout;

/// A message that only says where to look. The table decides whether there is work, so a bell may be lost, doubled or
/// late.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(tag = "bell", rename_all = "snake_case")]
pub enum Bell {
    Tick {
        owner: OwnerId,
        #[serde(rename = "project")]
        deployment: DeploymentId,
    },
    Run {
        owner: OwnerId,
        #[serde(rename = "project")]
        deployment: DeploymentId,
        run: RunId,
    },
    Rollout {
        owner: OwnerId,
        group: GroupName,
        rollout: RolloutId,
    },
    /// WebSockets that no process holds watch an owner's tasks, and something changed.
    Watch {
        owner: OwnerId,
    },
    /// Some WebSockets have been open for long without a login.
    Strangers,
}

/// The queue that a bell goes through: a long run must not keep ticks waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QueueKind {
    Ticks,
    Runs,
    Rollouts,
    Sockets,
}

/// What the caller of a bell's handler does with the bell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BellOutcome {
    /// No work is left for it.
    Done,
    /// It rings again after a while.
    RingAgain(Duration),
}

impl Bell {
    pub fn of_rollout(rollout: &Rollout) -> Bell {
        Bell::Rollout { owner: rollout.owner.clone(), group: rollout.group.clone(), rollout: rollout.id.clone() }
    }

    pub fn queue(&self) -> QueueKind {
        match self {
            Bell::Tick { .. } => QueueKind::Ticks,
            Bell::Run { .. } => QueueKind::Runs,
            Bell::Rollout { .. } => QueueKind::Rollouts,
            Bell::Watch { .. } | Bell::Strangers => QueueKind::Sockets,
        }
    }

    /// What bells are answered in order and one at a time for. No two things share one: owners hold no `#`.
    pub fn group(&self) -> String {
        match self {
            Bell::Tick { owner, deployment } | Bell::Run { owner, deployment, .. } => {
                format!("{owner}#{}", tidemill_store::keys::spelled(deployment))
            }
            Bell::Rollout { owner, group, .. } => format!("{owner}##{group}"),
            Bell::Watch { owner } => owner.to_string(),
            Bell::Strangers => String::new(),
        }
    }
}

//! The members of a group that a rollout does not name, and what becomes of them.

use crate::rollout::apply::ResourceTask;
use crate::rollout::request::{Request, ResourceName};
use std::collections::HashSet;
use tidemill_model::ids::LogicalId;
use tidemill_model::rollout::{Gone, Member};

/// The members that a request does not name, by their ids, with what is to be done with each.
pub(crate) fn gone(request: &Request, named: &[ResourceName], members: &[Member]) -> Vec<(ResourceName, ResourceTask)> {
    if request.partial {
        return Vec::new();
    }
    let ids: HashSet<&LogicalId> = named.iter().map(|one| &one.logical_id).collect();
    let projects: HashSet<_> = named.iter().map(|one| &one.project).collect();
    let mut gone: Vec<&Member> = members.iter().filter(|member| !ids.contains(&member.logical_id)).collect();
    gone.sort_by(|a, b| a.logical_id.cmp(&b.logical_id));
    gone.into_iter()
        .filter_map(|member| {
            let todo = match request.gone {
                _ if projects.contains(&member.project) => ResourceTask::Forget,
                Gone::Leave => return None,
                Gone::Prune => ResourceTask::Remove,
                Gone::Keep => ResourceTask::Detach,
            };
            let Member { logical_id, kind, project, .. } = member.clone();
            Some((ResourceName { logical_id, kind, project }, todo))
        })
        .collect()
}

//! The deployments before a rollout, as far as they decide whether a pipeline may be deployed.

use crate::error::{Code, Error};
use crate::plane::Plane;
use crate::rollout::request::{Request, ResourceName};
use std::collections::{BTreeSet, HashMap, HashSet};
use tidemill_model::deployment::Deployment;
use tidemill_model::ids::{GroupName, LogicalId, OwnerId, ProjectId};
use tidemill_model::rollout::Member;

/// The deployments that a rollout meets.
pub struct Standing<'a> {
    group: &'a GroupName,
    request: &'a Request,
    members: HashMap<&'a LogicalId, &'a Member>,
    wanted: HashSet<&'a ProjectId>,
    live: HashMap<ProjectId, Deployment>,
}

impl<'a> Standing<'a> {
    /// Reads the deployments of the pipelines that are wanted, and of those that had their ids in the group before.
    pub async fn read(
        plane: &Plane,
        owner: &OwnerId,
        group: &'a GroupName,
        request: &'a Request,
        named: &'a [ResourceName],
        members: &'a [Member],
    ) -> Result<Standing<'a>, Error> {
        let wanted: HashSet<_> = named.iter().map(|one| &one.project).collect();
        let members: HashMap<_, _> = members.iter().map(|member| (&member.logical_id, member)).collect();
        let mut standing = Standing { group, request, members, wanted, live: HashMap::new() };
        let former = named.iter().filter_map(|one| Some(&standing.former(one)?.project));
        let projects: BTreeSet<&ProjectId> = named.iter().map(|one| &one.project).chain(former).collect();
        let projects: Vec<ProjectId> = projects.into_iter().cloned().collect();
        let found = plane.store.deployments_of(owner, &projects).await?;
        let live = found.into_iter().filter(|deployment| !deployment.state.is_removed());
        standing.live = live.map(|deployment| (deployment.id.project().clone(), deployment)).collect();
        Ok(standing)
    }

    /// A project's deployment, unless it has none that is live.
    pub fn live(&self, project: &ProjectId) -> Option<&Deployment> {
        self.live.get(project)
    }

    /// Why a pipeline cannot be brought live as things are.
    pub fn refuses(&self, one: &ResourceName) -> Option<Error> {
        let live = self.live.get(&one.project);
        live.and_then(|live| refuses(live, self.group, self.request)).or_else(|| {
            let former = &self.live.get(&self.former(one)?.project)?.id;
            let message = format!("`{}` is the project `{former}` in the group `{}`", one.logical_id, self.group);
            let hint = format!("give `{}` an id of its own; `{former}` is then gone from the group", one.project);
            Some(Error::new(Code::Conflict, message).hint(hint))
        })
    }

    /// The member that has a pipeline's id, if it would be a member no more although its deployment stays.
    fn former(&self, one: &ResourceName) -> Option<&'a Member> {
        let member = self.members.get(&one.logical_id).filter(|_| !self.request.partial)?;
        (!self.wanted.contains(&member.project)).then_some(member)
    }
}

/// Why a deployment that is live cannot be what a rollout of `group` brings.
pub fn refuses(live: &Deployment, group: &GroupName, request: &Request) -> Option<Error> {
    let project = &live.id;
    if request.create_only {
        let message = format!("project `{project}` is deployed already, as version {}", live.version);
        return Some(Error::new(Code::AlreadyExists, message).hint("update it, or remove it first"));
    }
    let other = live.group.as_ref().filter(|other| *other != group && !request.partial)?;
    let message = format!("project `{project}` belongs to the group `{other}`");
    let hint = format!("deploy `{other}` without it and keep what is gone, or remove the project");
    Some(Error::new(Code::Conflict, message).hint(hint))
}

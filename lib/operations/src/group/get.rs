//! One group, with its members as far as they are deployed.

use crate::error::Error;
use crate::hint::Noun;
use crate::plane::{Call, Plane};
use crate::rollout::answer::{GroupAnswer, MemberAnswer};
use serde::Deserialize;
use std::collections::{BTreeSet, HashSet};
use tidemill_model::ids::{GroupName, ProjectId};
use tidemill_model::key::Scope;
use tidemill_model::rollout::{Group, Member};

pub struct Get;

/// The input of operations that name nothing but a group.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub group: GroupName,
}

impl crate::Operation for Get {
    const NAME: &'static str = "group_get";
    const SCOPE: Option<Scope> = Some(Scope::Monitor);
    type Input = Input;
    type Output = GroupAnswer;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<GroupAnswer, Error> {
        let group = find(plane, call, &input.group).await?;
        let mut members = plane.store.members(&call.owner, &input.group).await?;
        let projects: BTreeSet<ProjectId> = members.iter().map(|member| member.project.clone()).collect();
        let deployments = plane.store.deployments_of(&call.owner, &Vec::from_iter(projects)).await?;
        // What was removed by itself is a member until the group's next rollout.
        let live = deployments.into_iter().filter(|deployment| !deployment.state.is_removed());
        let live: HashSet<ProjectId> = live.map(|deployment| deployment.id.project().clone()).collect();
        members.retain(|member| live.contains(&member.project));
        members.sort_by(|a, b| a.logical_id.cmp(&b.logical_id));
        let members = members.into_iter().map(|Member { logical_id, kind, project, .. }| MemberAnswer {
            logical_id: logical_id.into(),
            kind,
            project: project.into(),
        });
        Ok(GroupAnswer { members: Some(members.collect()), ..GroupAnswer::from(group) })
    }
}

/// Finds one of the caller's groups that is not removed.
pub async fn find(plane: &Plane, call: &Call, name: &GroupName) -> Result<Group, Error> {
    let found = plane.store.group(&call.owner, name).await?.filter(|group| !group.is_removed);
    found.ok_or_else(|| Error::not_found(Noun::Group, name))
}

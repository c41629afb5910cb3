//! Makes a group before anything is rolled out in it.

use crate::error::{Code, Error};
use crate::plane::{Call, Plane};
use crate::rollout::answer::GroupAnswer;
use serde::Deserialize;
use tidemill_model::ids::{GroupName, nameable};
use tidemill_model::key::Scope;
use tidemill_model::rollout::{Group, checked_names};
use tidemill_store::Part;

pub struct Add;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub group: GroupName,
    /// What people call it; its name, unless something else is given.
    pub title: Option<String>,
    /// Where its pipelines are kept.
    pub repository: Option<String>,
}

impl crate::Operation for Add {
    const NAME: &'static str = "group_add";
    const SCOPE: Option<Scope> = Some(Scope::Control);
    type Input = Input;
    type Output = GroupAnswer;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<GroupAnswer, Error> {
        nameable("group", input.group.as_str())?;
        checked_names(input.title.as_deref(), input.repository.as_deref())?;
        let before = plane.store.group(&call.owner, &input.group).await?;
        let revision = before.as_ref().map_or(0, |group| group.revision);
        if before.as_ref().is_some_and(|group| !group.is_removed || group.active_rollout.is_some()) {
            return Err(exists(&input.group));
        }
        let group = Group {
            owner: call.owner.clone(),
            title: input.title.unwrap_or_else(|| input.group.to_string()),
            name: input.group,
            repository: input.repository,
            active_rollout: None,
            last: None,
            revision: revision + 1,
            is_removed: false,
            created_at: call.now,
            updated_at: call.now,
            unknown: before.map(|group| group.unknown).unwrap_or_default(),
        };
        match plane.store.transaction().group(&group, revision)?.commit().await {
            Ok(()) => Ok(GroupAnswer::from(group)),
            Err(error) if error.rejects(Part::Group) => Err(exists(&group.name)),
            Err(error) => Err(error.into()),
        }
    }
}

fn exists(name: &GroupName) -> Error {
    Error::new(Code::AlreadyExists, format!("group `{name}` exists already")).hint("roll pipelines out in it")
}

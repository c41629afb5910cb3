//! Shows what a rollout would do now. It changes nothing, and works also while the group has an active rollout.

use crate::error::Error;
use crate::plane::{Call, Plane};
use crate::rollout::apply::ResourceTask;
use crate::rollout::details::{ResourceChange, ResourceComparison, bounded, detailed};
use crate::rollout::gone::gone;
use crate::rollout::problems::{RESOURCE_LIMIT, cannot_run};
use crate::rollout::request::{CheckedPipeline, Request, ResourceName};
use crate::rollout::standing::Standing;
use futures::{StreamExt, TryStreamExt};
use serde::Serialize;
use tidemill_model::deployment::Deployment;
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::ids::{GroupName, OwnerId};
use tidemill_model::key::Scope;
use tidemill_model::rollout::{Action, Group, Member};

/// Deployments that are read at once.
const AT_ONCE: usize = 16;

pub struct Preview;

pub type Input = Request;

#[derive(Debug, Serialize)]
pub struct Output {
    pub group: String,
    pub items: Vec<ResourceChange>,
    /// Details of some changes are left out, because there are too many.
    pub cut: bool,
}

/// A preview, with the group as it is.
pub struct GroupPreview {
    pub name: GroupName,
    /// `None` if there is none yet.
    pub group: Option<Group>,
    pub changes: Vec<ResourceChange>,
}

impl crate::Operation for Preview {
    const NAME: &'static str = "rollout_preview";
    const SCOPE: Option<Scope> = Some(Scope::Monitor);
    type Input = Input;
    type Output = Output;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Output, Error> {
        let looked = look(plane, call, &input).await?;
        let standing = looked.standing(plane, call, &input).await?;
        let PreviewScope { name, checked, gone, .. } = &looked;
        let previewing = Comparer { plane, owner: &call.owner, group: name, standing: &standing };
        let seen = previewing.all(checked, gone).await?;
        let details: Vec<_> = seen.iter().map(|seen| detailed(plane, &call.owner, seen, input.paused)).collect();
        let mut items: Vec<ResourceChange> = futures::stream::iter(details).buffered(AT_ONCE).try_collect().await?;
        let cut = bounded(&mut items);
        Ok(Output { group: name.to_string(), items, cut })
    }
}

/// Previews a request: the actions alone.
///
/// # Errors
/// [`crate::Code::InvalidArgument`] with all that is wrong, if a pipeline cannot run.
pub async fn preview(plane: &Plane, call: &Call, request: &Request) -> Result<GroupPreview, Error> {
    let looked = look(plane, call, request).await?;
    let standing = looked.standing(plane, call, request).await?;
    let previewing = Comparer { plane, owner: &call.owner, group: &looked.name, standing: &standing };
    let seen = previewing.all(&looked.checked, &looked.gone).await?;
    let changes = seen.into_iter().map(|seen| seen.change).collect();
    Ok(GroupPreview { name: looked.name.clone(), group: looked.group.clone(), changes })
}

/// What is asked for, beside what there is.
struct PreviewScope {
    name: GroupName,
    group: Option<Group>,
    named: Vec<ResourceName>,
    members: Vec<Member>,
    checked: Vec<CheckedPipeline>,
    gone: Vec<(ResourceName, ResourceTask)>,
}

impl PreviewScope {
    async fn standing<'a>(&'a self, plane: &Plane, call: &Call, request: &'a Request) -> Result<Standing<'a>, Error> {
        Standing::read(plane, &call.owner, &self.name, request, &self.named, &self.members).await
    }
}

async fn look(plane: &Plane, call: &Call, request: &Request) -> Result<PreviewScope, Error> {
    let named = request.named()?;
    let name = request.group(&named)?;
    let checked = request.checked(plane, &named).map_err(|problems| cannot_run(&named, &problems))?;
    let group = plane.store.group(&call.owner, &name).await?.filter(|group| !group.is_removed);
    let members = plane.store.members(&call.owner, &name).await?;
    let gone = gone(request, &named, &members);
    Ok(PreviewScope { name, group, named, members, checked, gone })
}

struct Comparer<'a> {
    plane: &'a Plane,
    owner: &'a OwnerId,
    group: &'a GroupName,
    standing: &'a Standing<'a>,
}

impl<'a> Comparer<'a> {
    /// Looks at each resource, in their order.
    async fn all(
        &self,
        checked: &'a [CheckedPipeline],
        gone: &'a [(ResourceName, ResourceTask)],
    ) -> Result<Vec<ResourceComparison<'a>>, Error> {
        let wanted: Vec<_> = checked.iter().map(|checked| self.bring(checked)).collect();
        let left: Vec<_> = gone.iter().map(|(named, todo)| self.leave(named, todo)).collect();
        let mut seen: Vec<ResourceComparison<'a>> =
            futures::stream::iter(wanted).buffered(AT_ONCE).try_collect().await?;
        seen.extend(futures::stream::iter(left).buffered(AT_ONCE).try_collect::<Vec<_>>().await?);
        Ok(seen)
    }

    async fn bring(&self, checked: &'a CheckedPipeline) -> Result<ResourceComparison<'a>, Error> {
        let live = self.standing.live(&checked.named.project).cloned();
        let mut change = change(&checked.named, Action::Create, live.as_ref());
        change.warnings = checked.definition.warnings();
        change.problem = self.standing.refuses(&checked.named).map(|refused| refused.in_lines(RESOURCE_LIMIT));
        let becomes = checked.over(live.as_ref())?;
        let Some(live) = live else {
            return Ok(ResourceComparison { change, live: None, version: None, becomes: Some((checked, becomes)) });
        };
        let version = self.plane.store.version(self.owner, live.id.project(), live.version).await?;
        let same = version.as_ref().is_some_and(|version| version.sha256 == checked.definition.sha256());
        // A deploy brings back what the plane has stopped.
        let same = same && !live.state.is_errored();
        change.action = match same && (&becomes.0, becomes.1) == (&live.schedule, live.settings) {
            true => Action::Unchanged,
            false => Action::Update,
        };
        Ok(ResourceComparison { change, live: Some(live), version, becomes: Some((checked, becomes)) })
    }

    async fn leave(&self, named: &ResourceName, todo: &ResourceTask) -> Result<ResourceComparison<'a>, Error> {
        let live = self.live(named).await?;
        let is_ours = live.as_ref().is_none_or(|live| live.group.as_ref() == Some(self.group));
        let action = match todo {
            ResourceTask::Remove if is_ours => Action::Delete,
            _ => Action::Detach,
        };
        let change = change(named, action, live.as_ref());
        Ok(ResourceComparison { change, live, version: None, becomes: None })
    }

    async fn live(&self, named: &ResourceName) -> Result<Option<Deployment>, Error> {
        let found = self.plane.store.deployment(self.owner, &DeploymentId::from(&named.project)).await?;
        Ok(found.filter(|deployment| !deployment.state.is_removed()))
    }
}

fn change(named: &ResourceName, action: Action, live: Option<&Deployment>) -> ResourceChange {
    ResourceChange {
        logical_id: named.logical_id.to_string(),
        kind: named.kind.clone(),
        project: named.project.to_string(),
        action,
        version: live.map(|live| live.version),
        problem: None,
        warnings: Vec::new(),
        graph: None,
        settings: Vec::new(),
        time: None,
    }
}

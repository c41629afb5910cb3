//! Says what a rollout would do as things are now. It takes no slot and changes nothing, also while another one goes on.

use crate::error::Error;
use crate::plane::{Call, Plane};
use crate::rollout_apply::Todo;
use crate::rollout_execute::gone;
use crate::rollout_request::{Checked, Named, Request, cannot_run, deployed_already};
use futures::{StreamExt, TryStreamExt};
use serde::Serialize;
use tidemill_model::deployment::Deployment;
use tidemill_model::ids::{GroupName, OwnerId};
use tidemill_model::key::Scope;
use tidemill_model::rollout::{Action, Group};

/// Deployments that are read at once.
const AT_ONCE: usize = 16;

pub struct RolloutPreview;

pub type Input = Request;

#[derive(Debug, Serialize)]
pub struct Output {
    pub group: String,
    pub items: Vec<Change>,
}

/// What would become of a resource.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    pub logical_id: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub project: String,
    pub action: Action,
    /// What is live now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// Why it would fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<crate::Detail>,
}

/// A preview, with the group as it is.
pub struct Preview {
    pub name: GroupName,
    /// `None` if there is none yet.
    pub group: Option<Group>,
    pub changes: Vec<Change>,
}

impl crate::Operation for RolloutPreview {
    const NAME: &'static str = "rollout_preview";
    const SCOPE: Scope = Scope::Monitor;
    type Input = Input;
    type Output = Output;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Output, Error> {
        let preview = preview(plane, call, &input).await?;
        Ok(Output { group: preview.name.into(), items: preview.changes })
    }
}

/// Previews a request.
///
/// # Errors
/// [`crate::Code::InvalidArgument`] with all that is wrong, if a pipeline cannot run.
pub async fn preview(plane: &Plane, call: &Call, request: &Request) -> Result<Preview, Error> {
    let named = request.named()?;
    let name = request.group(&named)?;
    let checked = request.checked(plane, &named).map_err(|problems| cannot_run(&named, &problems))?;
    let group = plane.store.group(&call.owner, &name).await?.filter(|group| !group.is_removed);
    let members = plane.store.members(&call.owner, &name).await?;
    let gone = gone(request, &named, &members);
    let previewing = Previewing {
        plane,
        owner: &call.owner,
        group: &name,
        partial: request.partial,
        create_only: request.create_only,
    };
    let wanted: Vec<_> = checked.iter().map(|checked| previewing.bring(checked)).collect();
    let left: Vec<_> = gone.iter().map(|(named, todo)| previewing.leave(named, todo)).collect();
    let mut changes: Vec<Change> = futures::stream::iter(wanted).buffered(AT_ONCE).try_collect().await?;
    changes.extend(futures::stream::iter(left).buffered(AT_ONCE).try_collect::<Vec<Change>>().await?);
    Ok(Preview { name, group, changes })
}

struct Previewing<'a> {
    plane: &'a Plane,
    owner: &'a OwnerId,
    group: &'a GroupName,
    partial: bool,
    create_only: bool,
}

impl Previewing<'_> {
    async fn bring(&self, checked: &Checked) -> Result<Change, Error> {
        let live = self.live(&checked.named).await?;
        let mut change = change(&checked.named, Action::Create, live.as_ref());
        change.warnings = checked.definition.warnings();
        let Some(live) = live else { return Ok(change) };
        if let Some(other) = live.group.as_ref().filter(|group| *group != self.group && !self.partial) {
            change.problem = Some(format!("it belongs to the group `{other}`"));
        }
        if self.create_only {
            change.problem = Some(deployed_already(&live));
        }
        let (schedule, settings) = checked.over(Some(&live))?;
        let version = self.plane.store.version(self.owner, &live.project, live.version).await?;
        let same = version.is_some_and(|version| version.sha256 == checked.definition.sha256());
        change.action = match same && (schedule, settings) == (live.schedule, live.settings) {
            true => Action::Unchanged,
            false => Action::Update,
        };
        Ok(change)
    }

    async fn leave(&self, named: &Named, todo: &Todo) -> Result<Change, Error> {
        let live = self.live(named).await?;
        let is_ours = live.as_ref().is_none_or(|live| live.group.as_ref() == Some(self.group));
        let action = match todo {
            Todo::TakeOff if is_ours => Action::Delete,
            _ => Action::Detach,
        };
        Ok(change(named, action, live.as_ref()))
    }

    async fn live(&self, named: &Named) -> Result<Option<Deployment>, Error> {
        let found = self.plane.store.deployment(self.owner, &named.project).await?;
        Ok(found.filter(|deployment| !deployment.state.is_removed()))
    }
}

fn change(named: &Named, action: Action, live: Option<&Deployment>) -> Change {
    Change {
        logical_id: named.logical_id.to_string(),
        kind: named.kind.clone(),
        project: named.project.to_string(),
        action,
        version: live.map(|live| live.version),
        problem: None,
        warnings: Vec::new(),
    }
}

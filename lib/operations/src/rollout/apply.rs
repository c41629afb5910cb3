//! Carries out a rollout's change of one resource: one transaction changes the deployment and writes the outcome, on
//! condition that there is none yet. So a resource is done wholly or not at all, and once, whichever worker has it.

use crate::deployment::change::{Retry, audit, fresh_record, revived, settle, touched, with_change};
use crate::deployment::tick::ticked;
use crate::error::{Code, Error};
use crate::plane::{Call, Plane};
use crate::rollout::problems::RESOURCE_LIMIT;
use crate::rollout::request::{CheckedPipeline, Request, ResourceName};
use crate::rollout::standing::refuses;
use crate::run::open::ring_released;
use std::collections::HashMap;
use tidemill_model::audit::Operation;
use tidemill_model::deployment::{Deployment, State};
use tidemill_model::ids::LogicalId;
use tidemill_model::retention::HISTORY;
use tidemill_model::rollout::{Action, Member, Outcome, Resource, Rollout};
use tidemill_model::version::Version;
use tidemill_store::{Held, Hook, Part, Transaction};

/// Why a deployment that a rollout made is paused.
const PAUSED: &str = "deployed without its schedule";

/// A resource by its place and its names.
#[derive(Clone, Debug)]
pub struct ResourcePlace {
    pub index: u32,
    pub named: ResourceName,
}

/// One resource with what is to be done with it.
pub struct ResourceTurn {
    pub place: ResourcePlace,
    pub todo: ResourceTask,
}

/// What is to be done with a resource.
pub enum ResourceTask {
    /// Its pipeline is deployed.
    Deploy(Box<CheckedPipeline>),
    /// Its deployment is removed, if it is still the group's.
    Remove,
    /// Its deployment stays, and is no member any more.
    Detach,
    /// Its deployment is a member under another name now.
    Forget,
}

/// What a rollout's resources have in common: the rollout, its request and the members before.
pub struct ResourceApplier<'a> {
    pub plane: &'a Plane,
    /// On behalf of the key that started the rollout.
    pub call: &'a Call,
    pub rollout: &'a Held<Rollout>,
    pub request: &'a Request,
    /// The group's members before.
    pub members: &'a HashMap<LogicalId, Member>,
}

/// The decision about a resource as things are now.
enum ResourceDecision {
    Apply(Box<ResourcePlan>),
    /// The resource fails by it.
    Refuse(Error),
}

/// What is to be written for a resource.
struct ResourcePlan {
    action: Action,
    before: Option<Deployment>,
    /// `None` if the deployment stays as it is.
    after: Option<Deployment>,
    version: Option<Version>,
}

impl ResourceDecision {
    fn of(plan: ResourcePlan) -> ResourceDecision {
        ResourceDecision::Apply(Box::new(plan))
    }
}

impl ResourceApplier<'_> {
    /// Gives the resource its outcome, or finds the one that it has.
    ///
    /// # Errors
    /// The plane is at fault: nothing is settled, and it may be tried again.
    pub async fn apply(&self, turn: &ResourceTurn) -> Result<Resource, Error> {
        let mut retry = Retry::new();
        loop {
            let plan = match self.decide(turn).await? {
                ResourceDecision::Apply(plan) => *plan,
                ResourceDecision::Refuse(why) => return self.refuse(turn, &why).await,
            };
            let resource = self.resource(turn, &plan);
            match self.written(turn, &plan, &resource)?.commit().await {
                Ok(()) => {
                    if let Some(after) = &plan.after {
                        self.plane.follow(after).await;
                        if let Some(before) = &plan.before {
                            ring_released(self.plane, before, after).await;
                        }
                    }
                    return Ok(resource);
                }
                Err(error) if error.rejects(Part::Resource) => return self.found(turn).await,
                Err(tidemill_store::Error::TooLarge(_)) => {
                    let why = Error::new(Code::TooLarge, "the pipeline is larger than the table takes");
                    return self.refuse(turn, &why.hint("make it smaller")).await;
                }
                Err(error) => retry.again(self.plane, error, Part::Deployment).await?,
            }
        }
    }

    /// Writes that a resource cannot be done, and why.
    pub async fn refuse(&self, turn: &ResourceTurn, why: &Error) -> Result<Resource, Error> {
        let resource = settled(&turn.place, None, Outcome::Failed, Some(why.in_lines(RESOURCE_LIMIT)));
        let transaction = self.plane.store.transaction();
        match transaction.resource(self.rollout, &resource, self.rollout.created_at + HISTORY)?.commit().await {
            Ok(()) => Ok(resource),
            Err(error) if error.rejects(Part::Resource) => self.found(turn).await,
            Err(error) => Err(error.into()),
        }
    }

    /// The outcome that another worker has written.
    async fn found(&self, turn: &ResourceTurn) -> Result<Resource, Error> {
        let found = self.plane.store.resources(&self.rollout.id, turn.place.index).await?;
        let found = found.into_iter().next().filter(|resource| resource.index == turn.place.index);
        found.ok_or_else(|| Error::internal("the outcome of a resource is not there"))
    }

    /// What is to be done as things are now, or why it cannot be done.
    async fn decide(&self, turn: &ResourceTurn) -> Result<ResourceDecision, Error> {
        let project = &turn.place.named.project;
        let mut before = self.plane.store.deployment(&self.rollout.owner, &project.into()).await?;
        if matches!(turn.todo, ResourceTask::Deploy(_))
            && let Some(found) = before
        {
            before = Some(ticked(self.plane, found).await?);
        }
        let live = before.as_ref().filter(|before| !before.state.is_removed());
        let belongs_to = live.and_then(|live| live.group.as_ref());
        match &turn.todo {
            ResourceTask::Deploy(wanted) => {
                match live.and_then(|live| refuses(live, &self.rollout.group, self.request)) {
                    Some(refused) => Ok(ResourceDecision::Refuse(refused)),
                    None => self.bring(wanted, before).await,
                }
            }
            ResourceTask::Remove => {
                Ok(ResourceDecision::of(match live.filter(|_| belongs_to == Some(&self.rollout.group)) {
                    Some(live) => {
                        let mut after = touched(live, self.now());
                        after.state = State::Removed { at: self.now() };
                        after.group = None;
                        ResourcePlan { action: Action::Delete, after: Some(after), before, version: None }
                    }
                    // It was removed or joined another group since: only the membership is left.
                    None if live.is_some() => {
                        ResourcePlan { action: Action::Detach, before, after: None, version: None }
                    }
                    None => ResourcePlan { action: Action::Delete, before, after: None, version: None },
                }))
            }
            ResourceTask::Forget => {
                Ok(ResourceDecision::of(ResourcePlan { action: Action::Detach, before, after: None, version: None }))
            }
            ResourceTask::Detach => {
                let after = live
                    .filter(|_| belongs_to == Some(&self.rollout.group))
                    .map(|live| Deployment { group: None, ..touched(live, self.now()) });
                Ok(ResourceDecision::of(ResourcePlan { action: Action::Detach, before, after, version: None }))
            }
        }
    }

    async fn bring(&self, wanted: &CheckedPipeline, before: Option<Deployment>) -> Result<ResourceDecision, Error> {
        let ResourceApplier { plane, call, rollout, .. } = self;
        let project = &wanted.named.project;
        let live = before.as_ref().filter(|before| !before.state.is_removed());
        let (schedule, settings) = match wanted.over(live) {
            Ok(both) => both,
            Err(error) => return Ok(ResourceDecision::Refuse(error)),
        };
        let mut after = match (&before, live) {
            (None, _) => fresh_record(plane, call, project.into()),
            (Some(before), Some(_)) => touched(before, self.now()),
            (Some(tombstone), None) => revived(plane, call, tombstone),
        };
        after.schedule = schedule;
        after.settings = settings;
        if !self.request.partial {
            after.group = Some(rollout.group.clone());
        }
        if live.is_none() && self.request.paused && !after.schedule.is_manual() {
            after.state = State::Paused { note: Some(PAUSED.to_owned()), at: self.now() };
        }
        let was_stopped = live.is_some_and(|live| live.state.is_errored());
        let is_taken_over = after.take_over(call.key.clone());
        let mut version = None;
        if !self.is_live(live, wanted).await? {
            after.last_version += 1;
            after.version = after.last_version;
            let stored = wanted.definition.store(plane, call, project, after.version, wanted.note.clone()).await?;
            version = Some(Version { rollout: Some(rollout.id.clone()), git: rollout.git.clone(), ..stored });
        }
        let same = live.is_some_and(|live| {
            !was_stopped
                && (&live.schedule, live.settings, live.version) == (&after.schedule, after.settings, after.version)
        });
        let joins = live.is_some_and(|live| live.group != after.group);
        let action = match (live, same) {
            (None, _) => Action::Create,
            (Some(_), true) => Action::Unchanged,
            (Some(_), false) => Action::Update,
        };
        let after = (!same || joins || is_taken_over).then_some(after);
        Ok(ResourceDecision::of(ResourcePlan { action, before, after, version }))
    }

    /// Whether a pipeline is the one that is live.
    async fn is_live(&self, live: Option<&Deployment>, wanted: &CheckedPipeline) -> Result<bool, Error> {
        let Some(live) = live else { return Ok(false) };
        let version = self.plane.store.version(&live.owner, live.id.project(), live.version).await?;
        Ok(version.is_some_and(|version| version.sha256 == wanted.definition.sha256()))
    }

    fn written(&self, turn: &ResourceTurn, plan: &ResourcePlan, resource: &Resource) -> Result<Transaction<'_>, Error> {
        let ResourceApplier { plane, call, rollout, .. } = self;
        let expires = rollout.created_at + HISTORY;
        let mut transaction = plane.store.transaction().resource(rollout, resource, expires)?;
        if let Some(after) = &plan.after {
            let mut after = after.clone();
            let stretch = plan.before.as_ref().and_then(|before| settle(plane, before, &mut after, plane.now()));
            let audit = audit(plane, Operation::RolloutExecute, Some(call), &after, self.now());
            transaction = match &plan.before {
                Some(before) => with_change(transaction, before, &after, stretch.as_ref(), &audit)?,
                None => {
                    let hook = Hook {
                        id: after.hook.clone(),
                        owner: after.owner.clone(),
                        project: after.id.project().clone(),
                    };
                    transaction.new_deployment(&after)?.new_hook(&hook)?.audit(&audit)?
                }
            };
        }
        if let Some(version) = &plan.version {
            transaction = transaction.new_version(version)?;
        }
        self.with_membership(transaction, turn)
    }

    fn with_membership<'a>(&self, transaction: Transaction<'a>, turn: &ResourceTurn) -> Result<Transaction<'a>, Error> {
        let ResourceName { logical_id, kind, project } = turn.place.named.clone();
        let Rollout { owner, group, .. } = &**self.rollout;
        if !matches!(turn.todo, ResourceTask::Deploy(_)) {
            return Ok(transaction.no_member(owner, group, &logical_id));
        }
        let member = Member { group: group.clone(), logical_id, kind, project };
        match self.request.partial || self.members.get(&member.logical_id) == Some(&member) {
            true => Ok(transaction),
            false => Ok(transaction.member(owner, &member)?),
        }
    }

    fn resource(&self, turn: &ResourceTurn, plan: &ResourcePlan) -> Resource {
        let live = plan.after.as_ref().or(plan.before.as_ref()).filter(|live| !live.state.is_removed());
        Resource {
            version: live.map(|live| live.version),
            ..settled(&turn.place, Some(plan.action), Outcome::Applied, None)
        }
    }

    fn now(&self) -> jiff::Timestamp {
        self.call.now
    }
}

/// What became of a resource.
pub fn settled(place: &ResourcePlace, action: Option<Action>, outcome: Outcome, message: Option<String>) -> Resource {
    let ResourcePlace { index, named: ResourceName { logical_id, kind, project } } = place.clone();
    Resource { index, logical_id, kind, project, action, outcome, version: None, message }
}

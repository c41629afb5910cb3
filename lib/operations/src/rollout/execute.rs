//! Carries out a rollout, at a bell.
//!
//! The right to do so is a lease on its record. What became of each resource is written once, so a worker that dies is
//! followed by one that goes on with the rest, and one that was given up can do nothing any more: before a rollout ends
//! early, each resource that it has not reached gets that for its outcome.

use crate::bell::BellOutcome;
use crate::deployment::change::{HISTORY, Retry};
use crate::error::{Code, Error};
use crate::plane::{Call, Plane};
use crate::rollout::apply::{ResourceApplier, ResourcePlace, ResourceTask, ResourceTurn, settled};
use crate::rollout::problems::{RESOURCE_LIMIT, ROLLOUT_LIMIT, cannot_run};
use crate::rollout::request::{Request, ResourceName};
use crate::rollout::standing::Standing;
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, HashMap, HashSet};
use tidemill_model::ids::{LogicalId, OwnerId, RolloutId};
use tidemill_model::lease::Lease;
use tidemill_model::rollout::{
    Failure, Gone, Group, Member, Outcome, Purpose, Resource, Rollout, State, Step, progress,
};
use tidemill_store::{Part, Progress, TRANSACTION_LIMIT};

/// How long a lease lasts; it is renewed with each few resources.
const LEASE: SignedDuration = SignedDuration::from_secs(30);
/// Resources that are worked on at once. No pipeline needs another one to be live.
const AT_ONCE: usize = 8;
/// Attempts in a row that may come to nothing, by a death or an error, before the rollout is given up.
const ATTEMPTS: u32 = 5;

/// Carries a rollout out, if it is to be carried out and nobody else does.
pub async fn run(plane: &Plane, owner: &OwnerId, id: &RolloutId) -> Result<BellOutcome, Error> {
    let Some(found) = plane.store.rollout(owner, id).await? else { return Ok(BellOutcome::Done) };
    if found.state.is_final() || is_worked_on(plane, &found) || plane.is_stopping() {
        return Ok(BellOutcome::Done);
    }
    let Some(mut worker) = Worker::claim(plane, &found).await? else { return Ok(BellOutcome::Done) };
    if worker.rollout.attempts > ATTEMPTS {
        let message = format!(
            "{ATTEMPTS} attempts in a row died or failed without settling anything; the log of the plane says why"
        );
        return worker.give_up(&failure("worker_died", message)).await;
    }
    let worked = worker.work().await;
    if let Err(error) = &worked {
        // A table that does not answer says nothing about the rollout.
        worker.rollout.attempts += u32::from(error.code != Code::Unavailable);
        // Whoever answers the bell next goes on at once.
        worker.hand_over().await?;
    }
    worked
}

/// Ends a rollout whose worker is gone and that nobody else took.
pub(crate) async fn give_up(plane: &Plane, found: &Rollout) -> Result<(), Error> {
    let Some(mut worker) = Worker::claim(plane, found).await? else { return Ok(()) };
    let message = "its worker died, and no other one took it over in time; what is settled stays as it is";
    worker.give_up(&failure("worker_died", message)).await.map(drop)
}

/// Whether somebody holds the right to go on with a rollout.
pub(crate) fn is_worked_on(plane: &Plane, rollout: &Rollout) -> bool {
    rollout.lease.as_ref().is_some_and(|lease| lease.holds(plane.now(), plane.workers.this()))
}

fn failure_code(problems: &[(u32, Error)]) -> &'static str {
    match problems {
        _ if problems.iter().any(|(_, error)| error.code == Code::InvalidArgument) => "invalid_pipeline",
        _ if problems.iter().any(|(_, error)| error.code == Code::AlreadyExists) => "already_exists",
        _ => "conflict",
    }
}

/// Since when a rollout waits for a worker, unless one died at it: since it was made, or handed over.
pub(crate) fn waits_since(rollout: &Rollout) -> Option<Timestamp> {
    match &rollout.lease {
        None => Some(rollout.created_at),
        Some(lease) => Some(lease.until).filter(|_| lease.is_given_back()),
    }
}

fn failure(code: &str, message: impl Into<String>) -> Failure {
    Failure { code: code.to_owned(), message: message.into() }
}

/// The holder of a rollout's lease.
struct Worker<'a> {
    plane: &'a Plane,
    rollout: Rollout,
}

/// A rollout's request, read and checked as far as it could be.
struct Prepared {
    request: Request,
    places: Vec<ResourcePlace>,
    /// What is brought live, and then what is gone: nothing goes before all that is to be there is there.
    parts: [Vec<ResourceTurn>; 2],
    members: HashMap<LogicalId, Member>,
    /// Why it must not go on.
    failure: Option<Failure>,
    /// What is wrong with which resource.
    wrong: BTreeMap<u32, String>,
}

impl<'a> Worker<'a> {
    /// Takes the lease; `None` if somebody else was faster.
    async fn claim(plane: &'a Plane, found: &Rollout) -> Result<Option<Worker<'a>>, Error> {
        let died = found.lease.as_ref().is_some_and(|lease| !lease.is_given_back());
        let attempts = found.attempts + u32::from(died);
        match plane.store.claim_rollout(found, &lease(plane), attempts, plane.now()).await {
            Ok(rollout) => Ok(Some(Worker { plane, rollout })),
            Err(error) if error.rejects(Part::Rollout) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn work(&mut self) -> Result<BellOutcome, Error> {
        if self.rollout.cancel_requested_at.is_some() {
            return self.end_early(State::Cancelled, None, None).await;
        }
        if !self.tell(Step::Validate, self.rollout.settled, self.rollout.resources).await? {
            return Ok(BellOutcome::Done);
        }
        let settled = self.plane.store.resources(&self.rollout.id, 0).await?;
        let prepared = self.prepare(&settled).await?;
        match &prepared.failure {
            Some(failure) => self.end_early(State::Failed, Some(failure), Some(&prepared)).await,
            None => self.apply(&prepared, &settled).await,
        }
    }

    /// Reads the request, checks its pipelines, and lines up what is to be done.
    async fn prepare(&self, settled: &[Resource]) -> Result<Prepared, Error> {
        let Worker { plane, rollout } = self;
        let request = self.request().await?;
        let named = request.named()?;
        let members = self.members(&named).await?;
        let gone = gone(&request, &named, &members);
        let places = places(&named, &gone);
        let (checked, problems) = match request.checked(plane, &named) {
            Ok(checked) => (checked, self.refused(&request, &named, &members, settled).await?),
            Err(problems) => (Vec::new(), problems),
        };
        let key = plane.store.key(&rollout.owner, &rollout.key).await?;
        let failure = match key.is_some_and(|key| key.is_live(plane.now())) {
            false => Some(failure("key_revoked", "the key that asked for the rollout has been revoked or has expired")),
            true if problems.is_empty() => None,
            true => {
                let error = cannot_run(&named, &problems);
                Some(failure(failure_code(&problems), error.in_lines(ROLLOUT_LIMIT)))
            }
        };
        let wrong = problems.into_iter().map(|(index, error)| (index, error.in_lines(RESOURCE_LIMIT))).collect();
        let bring = checked.into_iter().map(|checked| ResourceTask::Deploy(Box::new(checked)));
        let turns = |places: &[ResourcePlace], todos: &mut dyn Iterator<Item = ResourceTask>| {
            places.iter().cloned().zip(todos).map(|(place, todo)| ResourceTurn { place, todo }).collect()
        };
        let (wanted, rest) = places.split_at(named.len());
        let parts = [turns(wanted, &mut bring.into_iter()), turns(rest, &mut gone.into_iter().map(|(_, todo)| todo))];
        let members = members.into_iter().map(|member| (member.logical_id.clone(), member)).collect();
        Ok(Prepared { request, places, parts, members, failure, wrong })
    }

    /// What the deployments that there are do not let be brought live. Asked before anything changes, and again when
    /// it is each one's turn; those that are settled are as the rollout made them.
    async fn refused(
        &self,
        request: &Request,
        named: &[ResourceName],
        members: &[Member],
        settled: &[Resource],
    ) -> Result<Vec<(u32, Error)>, Error> {
        let Worker { plane, rollout } = self;
        let settled: HashSet<u32> = settled.iter().map(|resource| resource.index).collect();
        let standing = Standing::read(plane, &rollout.owner, &rollout.group, request, named, members).await?;
        let left = (0..).zip(named).filter(|(index, _)| !settled.contains(index));
        Ok(left.filter_map(|(index, one)| Some((index, standing.refuses(one)?))).collect())
    }

    /// The members of the group as they were before the rollout, as far as they matter to it: those that it has taken
    /// out already are among them, so that what is gone has the same places for every worker.
    async fn members(&self, named: &[ResourceName]) -> Result<Vec<Member>, Error> {
        let Worker { plane, rollout } = self;
        let mut members = plane.store.members(&rollout.owner, &rollout.group).await?;
        // Read after the members: one that is taken out in between is found by both.
        let taken_out = plane.store.resources(&rollout.id, named.len() as u32).await?;
        for Resource { logical_id, kind, project, .. } in taken_out {
            if members.iter().all(|member| member.logical_id != logical_id) {
                members.push(Member { group: rollout.group.clone(), logical_id, kind, project });
            }
        }
        Ok(members)
    }

    async fn request(&self) -> Result<Request, Error> {
        let body = self.plane.store.rollout_request(&self.rollout).await?;
        let body = body.ok_or_else(|| Error::internal("the request of a rollout is not there"))?;
        serde_json::from_slice(&body).map_err(Error::internal)
    }

    /// Gives one resource after the other its outcome, several at once, until one fails or somebody asks to stop.
    async fn apply(&mut self, prepared: &Prepared, settled: &[Resource]) -> Result<BellOutcome, Error> {
        let total = prepared.places.len() as u32;
        if let Some(failed) = settled.iter().find(|resource| resource.outcome != Outcome::Applied) {
            let failure = resource_failure(failed);
            return self.end_early(State::Failed, Some(&failure), Some(prepared)).await;
        }
        let settled: HashSet<u32> = settled.iter().map(|resource| resource.index).collect();
        let mut done = (0..total).take_while(|index| settled.contains(index)).count() as u32;
        if !self.tell(Step::Apply, done, total).await? {
            return Ok(BellOutcome::Done);
        }
        let [wanted, gone] = prepared
            .parts
            .each_ref()
            .map(|part| part.iter().filter(|turn| !settled.contains(&turn.place.index)).collect::<Vec<_>>());
        for turns in wanted.chunks(AT_ONCE).chain(gone.chunks(AT_ONCE)) {
            if self.rollout.cancel_requested_at.is_some() {
                return self.end_early(State::Cancelled, None, Some(prepared)).await;
            }
            if self.plane.is_stopping() {
                return self.hand_over().await;
            }
            let outcomes = self.turn(turns, prepared).await?;
            if let Some(failed) = outcomes.iter().find(|resource| resource.outcome != Outcome::Applied) {
                let failure = resource_failure(failed);
                return self.end_early(State::Failed, Some(&failure), Some(prepared)).await;
            }
            // Those that a worker before settled out of their order lie in between.
            let last = turns.last().map_or(total, |turn| turn.place.index + 1);
            done = (last..total).take_while(|index| settled.contains(index)).last().map_or(last, |index| index + 1);
            if !self.tell(Step::Apply, done, total).await? {
                return Ok(BellOutcome::Done);
            }
        }
        debug_assert_eq!(done, total, "every resource has its outcome");
        self.end(State::Succeeded, None, total).await
    }

    async fn turn(&self, turns: &[&ResourceTurn], prepared: &Prepared) -> Result<Vec<Resource>, Error> {
        let call = self.call();
        let applying = ResourceApplier {
            plane: self.plane,
            call: &call,
            rollout: &self.rollout,
            request: &prepared.request,
            members: &prepared.members,
        };
        join_all(turns.iter().map(|turn| applying.apply(turn))).await.into_iter().collect()
    }

    /// What is done is done in the name of whoever asked for the rollout.
    fn call(&self) -> Call {
        Call {
            owner: self.rollout.owner.clone(),
            key: self.rollout.key.clone(),
            scopes: Vec::new(),
            now: self.plane.now(),
            idempotency: None,
        }
    }

    /// Tells how far the rollout is; `false` if somebody else has taken or ended it.
    async fn tell(&mut self, step: Step, settled: u32, resources: u32) -> Result<bool, Error> {
        let percent = match step {
            Step::Wait | Step::Validate => self.rollout.progress,
            Step::Apply | Step::Done => progress(settled, resources).max(self.rollout.progress),
        };
        let settled = settled.max(self.rollout.settled);
        let attempts = if settled > self.rollout.settled { 0 } else { self.rollout.attempts };
        let told = Progress { step, resources, settled, percent, attempts, lease: lease(self.plane) };
        match self.plane.store.rollout_progress(&self.rollout, &told).await {
            Ok(rollout) => {
                self.rollout = rollout;
                self.plane.watches.moved(&self.rollout.id);
                Ok(true)
            }
            Err(error) if error.rejects(Part::Rollout) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Leaves the rollout to the next worker.
    async fn hand_over(&self) -> Result<BellOutcome, Error> {
        let Rollout { step, resources, settled, progress, attempts, .. } = self.rollout;
        let over = Lease::given_back(self.plane.now());
        let told = Progress { step, resources, settled, percent: progress, attempts, lease: over };
        match self.plane.store.rollout_progress(&self.rollout, &told).await {
            Err(error) if !error.rejects(Part::Rollout) => Err(error.into()),
            _ => Ok(BellOutcome::Done),
        }
    }

    async fn give_up(&mut self, failure: &Failure) -> Result<BellOutcome, Error> {
        match self.rollout.cancel_requested_at {
            Some(_) => self.end_early(State::Cancelled, None, None).await,
            None => self.end_early(State::Failed, Some(failure), None).await,
        }
    }

    /// Ends the rollout before every resource was done: first each of the others gets its outcome.
    async fn end_early(
        &mut self,
        state: State,
        failure: Option<&Failure>,
        prepared: Option<&Prepared>,
    ) -> Result<BellOutcome, Error> {
        let (places, wrong) = match prepared {
            Some(prepared) => (prepared.places.clone(), prepared.wrong.clone()),
            None => (self.places().await?, BTreeMap::new()),
        };
        loop {
            let settled = self.plane.store.resources(&self.rollout.id, 0).await?;
            let settled: HashSet<u32> = settled.into_iter().map(|resource| resource.index).collect();
            let left: Vec<&ResourcePlace> = places.iter().filter(|place| !settled.contains(&place.index)).collect();
            if left.is_empty() {
                break;
            }
            for some in left.chunks(TRANSACTION_LIMIT) {
                self.leave_out(some, &wrong).await?;
            }
        }
        self.end(state, failure, places.len() as u32).await
    }

    /// Writes that some resources were not done. If one of them has its outcome by now, none is written.
    async fn leave_out(&self, places: &[&ResourcePlace], wrong: &BTreeMap<u32, String>) -> Result<(), Error> {
        let mut transaction = self.plane.store.transaction();
        for place in places {
            let resource = match wrong.get(&place.index) {
                Some(why) => settled(place, None, Outcome::Failed, Some(why.clone())),
                None => settled(place, None, Outcome::NotReached, None),
            };
            transaction = transaction.resource(&self.rollout.id, &resource, self.rollout.created_at + HISTORY)?;
        }
        match transaction.commit().await {
            Err(error) if !error.rejects(Part::Resource) => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// The resources by their names alone, for a rollout that nothing more is done of.
    async fn places(&self) -> Result<Vec<ResourcePlace>, Error> {
        let request = match self.request().await {
            Ok(request) => request,
            // No worker could read it, so none was reached and none can be.
            Err(error) if error.code == Code::Internal => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let named = request.named()?;
        let gone = gone(&request, &named, &self.members(&named).await?);
        Ok(places(&named, &gone))
    }

    async fn has_no_members(&self) -> Result<bool, Error> {
        Ok(self.plane.store.members(&self.rollout.owner, &self.rollout.group).await?.is_empty())
    }

    /// Ends the rollout and frees the slot, in one transaction.
    async fn end(&mut self, state: State, failure: Option<&Failure>, total: u32) -> Result<BellOutcome, Error> {
        let plane = self.plane;
        let mut retry = Retry::new();
        loop {
            let now = plane.now();
            let before = plane.store.group(&self.rollout.owner, &self.rollout.group).await?;
            let before = before.ok_or_else(|| Error::internal("the group of a rollout is not there"))?;
            let is_gone = match (self.rollout.purpose, state) {
                (Purpose::Remove, State::Succeeded) => true,
                (_, State::Succeeded) => false,
                // It was made for this rollout, which has brought nothing live.
                _ => before.created_at == self.rollout.created_at && self.has_no_members().await?,
            };
            let after = Group {
                active_rollout: None,
                revision: before.revision + 1,
                is_removed: is_gone || before.is_removed,
                updated_at: now,
                ..before.clone()
            };
            let transaction = plane.store.transaction().group(&after, before.revision)?;
            let transaction = transaction.end_rollout(&self.rollout, state, failure, total, now)?;
            match transaction.commit().await {
                Ok(()) => {
                    tracing::info!(rollout.id = %self.rollout.id, "rollout `{}` has ended: {state}", self.rollout.id);
                    plane.watches.moved(&self.rollout.id);
                    return Ok(BellOutcome::Done);
                }
                Err(error) if error.rejects(Part::Rollout) => return Ok(BellOutcome::Done),
                Err(error) => retry.again(plane, error, Part::Group).await?,
            }
        }
    }
}

fn lease(plane: &Plane) -> Lease {
    Lease { holder: plane.workers.me.clone(), until: plane.now() + LEASE }
}

fn resource_failure(failed: &Resource) -> Failure {
    let why = failed.message.clone().unwrap_or_else(|| "it was given up".to_owned());
    failure("resource_failed", format!("`{}`: {why}", failed.logical_id))
}

/// The members that a request does not name, and what becomes of them.
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

/// Every resource, in order: those that are wanted, then those that are gone.
fn places(named: &[ResourceName], gone: &[(ResourceName, ResourceTask)]) -> Vec<ResourcePlace> {
    let all = named.iter().chain(gone.iter().map(|(named, _)| named));
    all.cloned().enumerate().map(|(index, named)| ResourcePlace { index: index as u32, named }).collect()
}

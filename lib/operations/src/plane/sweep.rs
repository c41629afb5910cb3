//! The reaper and reconciler: looks through the deployments for what nobody works on although the table says that it
//! should be, and rings for it. It only ever repairs towards the table.

use crate::bell::Bell;
use crate::deployment::change::due;
use crate::error::Error;
use crate::plane::{Plane, due_schedule};
use crate::rollout;
use crate::run::open::OpenRuns;
use crate::socket;
use crate::task::life::settle;
use futures::stream::{self, StreamExt};
use jiff::SignedDuration;
use serde::Serialize;
use std::collections::HashMap;
use tidemill_model::deployment::Deployment;
use tidemill_model::ids::OwnerId;
use tidemill_model::rollout::{Group, Rollout};
use tidemill_store::{PAGE_LIMIT, Part};

/// How long a run may wait before its bell counts as lost.
const PATIENCE: SignedDuration = SignedDuration::from_secs(60);
/// How long a tick may be due before its bell counts as lost: EventBridge Scheduler fires up to 59 s late, and then the
/// bell has its way to go. <https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html>
pub(crate) const TICK_PATIENCE: SignedDuration = SignedDuration::from_secs(90);
/// Deployments of an owner that are looked at side by side.
const AT_ONCE: usize = 32;

/// How long after it was rung for a rollout waits for a worker. With the lease and the time between two sweeps, one whose
/// worker died has ended within three minutes.
const ROLLOUT_PATIENCE: SignedDuration = SignedDuration::from_secs(45);
/// How long a rollout may wait for its first worker, or for the one that takes it over.
const IN_LINE: SignedDuration = SignedDuration::from_mins(15);

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Swept {
    pub deployments: usize,
    /// Bells of runs that waited, or whose worker was gone.
    pub runs_rung: usize,
    /// Bells of ticks that were due.
    pub ticks_rung: usize,
    /// Timers that were not as the table says, or that no deployment asks for.
    pub timers_set: usize,
    /// Tasks that came to their end, or lost a worker.
    pub tasks_ended: usize,
    /// Rollouts that nobody worked on: rung for, or ended.
    pub rollouts_found: usize,
    /// Records, and all of an owner's records of a kind, that could not be looked at. The next sweep looks again.
    pub failed: usize,
    /// Seconds since the oldest run that has not ended came in; 0 if there is none.
    pub oldest_run: u64,
}

impl Swept {
    fn missed(&mut self, owner: &OwnerId, what: &str, error: &dyn std::fmt::Display) {
        self.failed += 1;
        tracing::error!(owner.id = %owner, %error, "{what} could not be looked at");
    }

    fn add(&mut self, found: &Swept) {
        self.deployments += found.deployments;
        self.runs_rung += found.runs_rung;
        self.ticks_rung += found.ticks_rung;
        self.timers_set += found.timers_set;
        self.tasks_ended += found.tasks_ended;
        self.rollouts_found += found.rollouts_found;
        self.failed += found.failed;
        self.oldest_run = self.oldest_run.max(found.oldest_run);
    }
}

/// Sweeps after a start, when every bell and every local timer of before is gone.
pub async fn after_start(plane: &Plane) -> Result<Swept, Error> {
    sweep(plane, SignedDuration::ZERO).await
}

/// Sweeps while the plane runs.
pub async fn run(plane: &Plane) -> Result<Swept, Error> {
    sweep(plane, PATIENCE).await
}

async fn sweep(plane: &Plane, patience: SignedDuration) -> Result<Swept, Error> {
    let mut swept = Swept::default();
    if plane.sockets.is_some()
        && let Err(error) = strangers(plane).await
    {
        swept.failed += 1;
        tracing::error!(error = error.with_causes(), "WebSockets without a login could not be looked at");
    }
    // Listed before the deployments are read: one that is made meanwhile is in none of both, and is left alone.
    let mut timers = plane.timers.all().await?;
    let mut is_whole = true;
    for owner in plane.store.each_owner().await? {
        match owner {
            Ok(owner) => is_whole &= of_owner(plane, &owner, patience, &mut timers, &mut swept).await,
            Err(error) => {
                is_whole = false;
                swept.failed += 1;
                tracing::error!(%error, "the record of an owner cannot be read");
            }
        }
    }
    // Those that are left over may be of deployments that could not be read.
    if is_whole {
        take_away(plane, timers, &mut swept).await;
    }
    Ok(swept)
}

/// Looks at what one owner has, each part for itself; whether every deployment was read.
async fn of_owner(
    plane: &Plane,
    owner: &OwnerId,
    patience: SignedDuration,
    timers: &mut HashMap<String, bool>,
    swept: &mut Swept,
) -> bool {
    if let Err(error) = tasks(plane, owner, swept).await {
        swept.missed(owner, "the tasks of an owner", &error);
    }
    if let Err(error) = rollouts(plane, owner, patience, swept).await {
        swept.missed(owner, "the rollouts of an owner", &error);
    }
    if let Err(error) = watches(plane, owner).await {
        swept.missed(owner, "the monitors of an owner", &error);
    }
    let read = deployments(plane, owner, patience, timers, swept).await;
    read.unwrap_or_else(|error| {
        swept.missed(owner, "the deployments of an owner", &error);
        false
    })
}

/// Rings for those who monitor, also for those whose key may have been revoked.
async fn watches(plane: &Plane, owner: &OwnerId) -> Result<(), Error> {
    if plane.sockets.is_some() && plane.store.watching(owner).await?.is_some() {
        plane.ring_again(Bell::Watch { owner: owner.clone() }).await;
    }
    Ok(())
}

/// Looks at an owner's deployments; whether each was read.
async fn deployments(
    plane: &Plane,
    owner: &OwnerId,
    patience: SignedDuration,
    timers: &mut HashMap<String, bool>,
    swept: &mut Swept,
) -> Result<bool, Error> {
    let mut is_whole = true;
    let mut cursor = None;
    loop {
        let page = plane.store.each_deployment(owner, cursor.as_ref(), PAGE_LIMIT * 10).await?;
        let mut read = Vec::with_capacity(page.items.len());
        for deployment in page.items {
            match deployment {
                Ok(deployment) => read.push(deployment),
                Err(error) => {
                    is_whole = false;
                    swept.missed(owner, "the record of a deployment", &error);
                }
            }
        }
        let look = |deployment| {
            let has_timers = has_its_timers(plane, deployment, timers);
            looked_at(plane, deployment, has_timers, patience)
        };
        let looks: Vec<_> = read.iter().map(look).collect();
        let mut looks = stream::iter(looks).buffer_unordered(AT_ONCE);
        while let Some(found) = looks.next().await {
            swept.add(&found);
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(is_whole);
        }
    }
}

/// Brings an owner's tasks to their end where it is due.
async fn tasks(plane: &Plane, owner: &OwnerId, swept: &mut Swept) -> Result<(), Error> {
    for task in plane.store.each_task(owner).await? {
        let task = match task {
            Ok(task) => task,
            Err(error) => {
                swept.missed(owner, "the record of a task", &error);
                continue;
            }
        };
        let before = task.state;
        match settle(plane, task).await {
            Ok(task) => swept.tasks_ended += usize::from(task.state != before),
            Err(error) => swept.missed(owner, "a task", &error.with_causes()),
        }
    }
    Ok(())
}

/// Rings for the rollouts that nobody works on, and ends those that nobody came for.
async fn rollouts(plane: &Plane, owner: &OwnerId, patience: SignedDuration, swept: &mut Swept) -> Result<(), Error> {
    let ActiveRollouts { rollouts, lost } = active_rollouts(plane, owner).await?;
    for group in &lost {
        free(plane, group).await?;
        swept.rollouts_found += 1;
    }
    for rollout in rollouts {
        let seen = match forgotten(plane, &rollout, patience) {
            None => continue,
            Some(Forgotten::Ring) => ring_for(plane, &rollout).await,
            Some(Forgotten::GiveUp) => rollout::execute::give_up(plane, &rollout).await,
        };
        match seen {
            Ok(()) => swept.rollouts_found += 1,
            Err(error) => {
                swept.failed += 1;
                tracing::error!(owner.id = %owner, rollout.id = %rollout.id, error = error.with_causes(), "a rollout could not be seen to");
            }
        }
    }
    Ok(())
}

/// Rings for WebSockets that nobody has logged in on in time.
async fn strangers(plane: &Plane) -> Result<(), Error> {
    let strangers = plane.store.strangers().await?;
    if strangers.iter().any(|stranger| socket::is_late(stranger, plane.now())) {
        plane.ring_again(Bell::Strangers).await;
    }
    Ok(())
}

/// What an owner's groups name as their active rollouts.
#[derive(Default)]
pub(crate) struct ActiveRollouts {
    pub rollouts: Vec<Rollout>,
    /// Groups whose active rollout does not exist.
    pub lost: Vec<Group>,
}

pub(crate) async fn active_rollouts(plane: &Plane, owner: &OwnerId) -> Result<ActiveRollouts, Error> {
    let mut active = ActiveRollouts::default();
    let mut cursor = None;
    loop {
        let page = plane.store.groups(owner, cursor.as_ref(), PAGE_LIMIT * 10).await?;
        for group in page.items {
            let Some(id) = &group.active_rollout else { continue };
            match plane.store.rollout(owner, id).await? {
                Some(rollout) => active.rollouts.push(rollout),
                None => active.lost.push(group),
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(active);
        }
    }
}

/// Ends the right of an active rollout that does not exist.
pub(crate) async fn free(plane: &Plane, group: &Group) -> Result<(), Error> {
    let after = Group { active_rollout: None, revision: group.revision + 1, ..group.clone() };
    match plane.store.transaction().group(&after, group.revision)?.commit().await {
        // Somebody has taken it.
        Err(error) if !error.rejects(Part::Group) => Err(error.into()),
        _ => Ok(()),
    }
}

/// What is to be done about a rollout that nobody works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forgotten {
    Ring,
    /// Somebody was called before, and nobody came.
    GiveUp,
}

/// Whether nobody works on a rollout. One that waits for a worker may stand in a long line, so it is rung for again and
/// again before it is given up; one whose worker died is ended by the second sweep that finds it so.
pub(crate) fn forgotten(plane: &Plane, rollout: &Rollout, patience: SignedDuration) -> Option<Forgotten> {
    let now = plane.now();
    if rollout.state.is_final() || rollout::execute::is_worked_on(plane, rollout) {
        return None;
    }
    let rung = rollout.rung.filter(|rung| rung.epoch == rollout.epoch);
    match (rollout::execute::waits_since(rollout), rung) {
        (Some(since), _) if since + patience > now => None,
        (Some(since), _) if since + IN_LINE > now => Some(Forgotten::Ring),
        // A plane that starts has rung for nobody.
        (_, Some(rung)) if !patience.is_zero() && rung.at + ROLLOUT_PATIENCE <= now => Some(Forgotten::GiveUp),
        (_, Some(_)) if !patience.is_zero() => None,
        _ => Some(Forgotten::Ring),
    }
}

pub(crate) async fn ring_for(plane: &Plane, rollout: &Rollout) -> Result<(), Error> {
    match plane.store.rollout_rung(rollout, plane.now()).await {
        Ok(_) => plane.ring_again(Bell::of_rollout(rollout)).await,
        // Somebody has come, or it has ended.
        Err(error) if error.rejects(Part::Rollout) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// Deletes the timers that no deployment asks for.
async fn take_away(plane: &Plane, timers: HashMap<String, bool>, swept: &mut Swept) {
    for name in timers.keys() {
        match plane.timers.delete(name).await {
            Ok(()) => swept.timers_set += 1,
            Err(error) => tracing::warn!(
                timer = name,
                error = error.with_causes(),
                "a timer of no deployment could not be deleted"
            ),
        }
    }
}

/// Looks at a deployment, and says what was found also where the look failed.
async fn looked_at(plane: &Plane, deployment: &Deployment, has_timers: bool, patience: SignedDuration) -> Swept {
    let mut swept = Swept { deployments: 1, ..Swept::default() };
    if let Err(error) = look_at(plane, deployment, has_timers, patience, &mut swept).await {
        swept.failed += 1;
        let Deployment { owner, id, .. } = deployment;
        tracing::error!(owner.id = %owner, project.id = %id, error = error.with_causes(), "a deployment could not be looked at");
    }
    swept
}

async fn look_at(
    plane: &Plane,
    deployment: &Deployment,
    has_timers: bool,
    patience: SignedDuration,
    swept: &mut Swept,
) -> Result<(), Error> {
    let now = plane.now();
    if !has_timers {
        plane.follow(deployment).await;
        swept.timers_set += 1;
    }
    let tick_patience = if patience.is_zero() { patience } else { TICK_PATIENCE };
    if due_schedule(deployment).is_some() && due(plane, deployment, now - tick_patience).is_some() {
        let bell = Bell::Tick { owner: deployment.owner.clone(), deployment: deployment.id.clone() };
        plane.ring_again(bell).await;
        swept.ticks_rung += 1;
    }
    let runs = OpenRuns::of(plane, deployment, now).await?;
    let ages = runs.open.iter().map(|run| now.duration_since(run.queued_at).as_secs());
    swept.oldest_run = ages.max().unwrap_or(0).try_into().unwrap_or(0);
    for run in runs.forgotten(plane, now, patience) {
        let bell = Bell::Run { owner: run.owner.clone(), deployment: run.deployment.clone(), run: run.id.clone() };
        plane.ring_again(bell).await;
        swept.runs_rung += 1;
    }
    runs.note(plane, deployment).await
}

/// Whether a deployment's timers are among `timers` and as its record says. They are taken out, so that in the end
/// those are left that no deployment asks for.
pub(crate) fn has_its_timers(plane: &Plane, deployment: &Deployment, timers: &mut HashMap<String, bool>) -> bool {
    let mut wanted = plane.timers.expected(deployment);
    wanted.retain(|timer| timers.remove(&timer.name) != Some(timer.rings));
    wanted.is_empty()
}

//! What must hold once everything came to rest: nothing that was accepted is lost, and nothing hangs.

use super::cluster::Cluster;
use super::day::Day;
use super::mirror::Mirror;
use super::step::version_place;
use super::users::Known;
use super::world::{OPEN_ELSEWHERE, World};
use jiff::{SignedDuration, Timestamp};
use std::collections::{HashMap, HashSet};
use tidemill_model::calendar::Calendar;
use tidemill_model::deployment::Deployment;
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::key::Key;
use tidemill_model::rollout::{Group, Rollout};
use tidemill_model::run::{Run, State};
use tidemill_model::task::{self, Task};
use tidemill_operations::Timers as _;

/// What it takes at least to come to rest: leases of the dead run out, and the sweep looks twice.
pub const LEAST: SignedDuration = SignedDuration::from_secs(75);

/// Where nothing fails, a run ends within this time, without the sweep.
const PROMPT: SignedDuration = SignedDuration::from_secs(15);

/// What is still open of what was there at an instant; nothing once the world is at rest.
pub fn open(mirror: &Mirror, since: Timestamp) -> Option<String> {
    open_run(mirror, since)
        .or_else(|| open_rollout(mirror))
        .or_else(|| open_task(mirror))
        .or_else(|| due(mirror, since))
}

fn open_run(mirror: &Mirror, since: Timestamp) -> Option<String> {
    let held: HashSet<DeploymentId> =
        deployments(mirror).into_iter().filter(|it| it.state.holds_runs()).map(|it| it.id).collect();
    let open_tasks: HashSet<_> =
        mirror.all::<Task>("task").into_iter().filter(|it| it.state == task::State::Open).map(|it| it.run).collect();
    let mut open = mirror.all::<Run>("run").into_iter().filter(|run| {
        let waits_rightly =
            run.state == State::Queued && held.contains(&run.deployment) || open_tasks.contains(&run.id);
        !run.state.is_final() && !waits_rightly && run.queued_at < since
    });
    open.next().map(|run| format!("I4: run {} of `{}` is {} for good", run.id, run.deployment, run.state))
}

fn open_rollout(mirror: &Mirror) -> Option<String> {
    let mut rollouts = mirror.all::<Rollout>("rollout").into_iter().filter(|rollout| !rollout.state.is_final());
    let mut groups = mirror.all::<Group>("group").into_iter().filter(|group| group.active_rollout.is_some());
    let rollout = rollouts.next().map(|rollout| format!("I10: rollout {} is {} for good", rollout.id, rollout.state));
    rollout.or_else(|| {
        groups.next().map(|group| format!("I10: group `{}` waits for a rollout that has ended", group.name))
    })
}

fn open_task(mirror: &Mirror) -> Option<String> {
    let mut tasks = mirror.all::<Task>("task").into_iter();
    let stuck = tasks.find(|it| it.state == task::State::Ending || it.in_flight != 0)?;
    Some(format!(
        "I10: the task of run {} is {} with {} objects in hand",
        stuck.run,
        stuck.state.as_str(),
        stuck.in_flight
    ))
}

fn due(mirror: &Mirror, since: Timestamp) -> Option<String> {
    let calendar = Calendar::default();
    let mut deployments = deployments(mirror).into_iter();
    let late = deployments.find(|it| {
        let next = it.due_schedule().and_then(|schedule| calendar.next_tick(schedule, it.ticked_until));
        next.is_some_and(|next| next < since)
    })?;
    Some(format!("I3: no tick of `{}` was taken since {}", late.id, late.ticked_until))
}

fn deployments(mirror: &Mirror) -> Vec<Deployment> {
    mirror.all("deployment")
}

/// Checks the table at rest, against the answers that users got.
///
/// # Errors
/// What does not hold.
pub async fn check(cluster: &Cluster, known: &Known) -> Result<(), String> {
    let deployments = {
        let state = cluster.world.state();
        if let Some(open) = open_run(&state.mirror, cluster.world.time.now() - PROMPT) {
            return Err(open);
        }
        nothing_accepted_is_lost(&state.mirror, known)?;
        tasks_are_counted(&cluster.world, &state.mirror)?;
        versions_have_no_gap(&state.mirror)?;
        keys_are_the_same_at_both_places(&state.mirror)?;
        deployments(&state.mirror)
    };
    timers_are_as_deployments_say(cluster, &deployments).await
}

fn nothing_accepted_is_lost(mirror: &Mirror, known: &Known) -> Result<(), String> {
    let runs: HashSet<String> = mirror.all::<Run>("run").into_iter().map(|run| run.id.to_string()).collect();
    if let Some(lost) = known.runs.iter().find(|run| !runs.contains(*run)) {
        return Err(format!("I4: run {lost} was accepted, and is not there"));
    }
    let rollouts: HashSet<String> = mirror.all::<Rollout>("rollout").into_iter().map(|it| it.id.to_string()).collect();
    if let Some(lost) = known.rollouts.iter().find(|id| !rollouts.contains(*id)) {
        return Err(format!("I4: rollout {lost} was accepted, and is not there"));
    }
    for (project, version) in &known.versions {
        let found = deployments(mirror).into_iter().find(|it| it.id.to_string() == *project);
        if found.is_none_or(|it| u64::from(it.last_version) < *version) {
            return Err(format!("I4: version {version} of `{project}` was accepted, and is not there"));
        }
    }
    Ok(())
}

fn tasks_are_counted(world: &World, mirror: &Mirror) -> Result<(), String> {
    #[derive(serde::Deserialize)]
    struct Counter {
        open: usize,
    }
    let elsewhere = if world.day == Day::Tasks { OPEN_ELSEWHERE as usize } else { 0 };
    let here = mirror.all::<Task>("task").iter().filter(|it| it.state != task::State::Ended).count();
    let open = elsewhere + here;
    let counted = mirror.all::<Counter>("TASKS").iter().map(|counter| counter.open).sum::<usize>();
    if open == counted { Ok(()) } else { Err(format!("{open} tasks are open, {counted} are counted")) }
}

fn keys_are_the_same_at_both_places(mirror: &Mirror) -> Result<(), String> {
    let by_id = |mut keys: Vec<Key>| {
        keys.sort_by_key(|key| key.id.to_string());
        keys
    };
    let (listed, found) = (by_id(mirror.all("key")), by_id(mirror.all("KEY")));
    if listed == found { Ok(()) } else { Err("keys are listed in another way than they are found".into()) }
}

fn versions_have_no_gap(mirror: &Mirror) -> Result<(), String> {
    for deployment in deployments(mirror).iter().filter(|it| it.id.is_project()) {
        let missing = (1..=deployment.last_version).find(|number| !mirror.has(&version_place(deployment, *number)));
        if let Some(number) = missing {
            return Err(format!("I5: version {number} of `{}` is missing", deployment.id));
        }
    }
    Ok(())
}

async fn timers_are_as_deployments_say(cluster: &Cluster, deployments: &[Deployment]) -> Result<(), String> {
    let timers = cluster.world.timers();
    let mut all: HashMap<String, bool> = timers.all().await.map_err(|error| error.to_string())?;
    for deployment in deployments {
        for timer in timers.expected(deployment) {
            if all.remove(&timer.name).is_none() {
                return Err(format!("I9: `{}` has no timer", deployment.id));
            }
        }
    }
    match all.into_keys().min() {
        Some(orphan) => Err(format!("I9: a timer is of no deployment: {}", orphan.replace('\u{1}', "/"))),
        None => Ok(()),
    }
}

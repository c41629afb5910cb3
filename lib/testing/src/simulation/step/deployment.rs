//! What must hold of each write of a deployment, of its versions, and of an environment.

use super::tick::has_one_outcome;
use super::{Look, Pair, hold};
use tidemill_model::calendar::Calendar;
use tidemill_model::deployment::Deployment;
use tidemill_model::environment::Environment;
use tidemill_model::ids::RunId;
use tidemill_model::run::Run;
use tidemill_model::version::Version;
use tidemill_store::keys;

pub fn check(look: &Look<'_>, Pair { before, after }: &Pair<Deployment>) -> Result<(), String> {
    let id = &after.id;
    if after.version > 0 {
        has_version(look, after, after.version)?;
    }
    let Some(before) = before else { return Ok(()) };
    hold(after.revision > before.revision, || {
        format!("`{id}` was written over: revision {} after {}", after.revision, before.revision)
    })?;
    // A source of an environment is at whatever version is live there.
    hold(!id.is_project() || after.last_version >= before.last_version, || {
        format!("I5: versions of `{id}` went back")
    })?;
    hold(after.ticked_until >= before.ticked_until, || {
        format!("I8: `{id}` went back to ticks of {}", after.ticked_until)
    })?;
    hold(after.hook == before.hook, || format!("I16: the hook of `{id}` changed"))?;
    let partition = keys::deployment_partition(&after.owner, id);
    if before.current != after.current
        && let Some(current) = &before.current
    {
        let run: Option<Run> = look.mirror.get(&(partition.clone(), run_sort(current)));
        let is_going = run.is_some_and(|run| !run.state.is_final());
        hold(!is_going, || format!("I2: `{id}` gave the right to run away that {current} holds"))?;
    }
    every_tick_is_accounted_for(look, &partition, before, after)
}

/// Each due minute that the head goes past has its outcome, by the same transaction or an earlier one.
fn every_tick_is_accounted_for(
    look: &Look<'_>,
    partition: &str,
    before: &Deployment,
    after: &Deployment,
) -> Result<(), String> {
    if before.state.is_removed() {
        return Ok(());
    }
    let calendar = Calendar::default();
    let mut next = calendar.next_tick(&before.schedule, before.ticked_until);
    while let Some(tick) = next.filter(|tick| *tick <= after.ticked_until) {
        has_one_outcome(look, partition, tick)?;
        next = calendar.next_tick(&before.schedule, tick);
    }
    Ok(())
}

fn has_version(look: &Look<'_>, deployment: &Deployment, number: u32) -> Result<(), String> {
    let place = version_place(deployment, number);
    hold(look.mirror.has(&place), || format!("I6: `{}` points at version {number}, which is not there", deployment.id))
}

/// Where a version of a deployment's project is.
pub fn version_place(deployment: &Deployment, number: u32) -> (String, String) {
    let partition = keys::project_partition(&deployment.owner, deployment.id.project());
    (partition, format!("{}{number:010}", keys::VERSIONS))
}

fn run_sort(run: &RunId) -> String {
    format!("{}{run}", keys::RUNS)
}

pub fn check_version(look: &Look<'_>, Pair { before, after }: &Pair<Version>) -> Result<(), String> {
    let number = after.number;
    hold(before.is_none(), || format!("I5: version {number} of `{}` was written a second time", after.project))?;
    let earlier =
        (keys::project_partition(&after.owner, &after.project), format!("{}{:010}", keys::VERSIONS, number - 1));
    hold(number == 1 || look.mirror.has(&earlier), || {
        format!("I5: version {number} of `{}` comes after a gap", after.project)
    })
}

pub fn check_environment(look: &Look<'_>, Pair { before, after }: &Pair<Environment>) -> Result<(), String> {
    let place =
        (keys::project_partition(&after.owner, &after.project), format!("{}{:010}", keys::VERSIONS, after.version));
    hold(after.version == 0 || look.mirror.has(&place), || {
        format!("I6: `{}` points at version {}, which is not there", after.name, after.version)
    })?;
    let Some(before) = before else { return Ok(()) };
    hold(after.revision == before.revision + 1, || {
        format!("I6: `{}` was written over: revision {} after {}", after.name, after.revision, before.revision)
    })
}

//! What must hold of each write of a rollout, of its group, and of a task.

use super::{Look, Pair, hold};
use tidemill_model::rollout::{Group, Rollout};
use tidemill_model::task::{self, Task};
use tidemill_store::keys;

pub fn check_rollout(Pair { before, after }: &Pair<Rollout>) -> Result<(), String> {
    let Some(before) = before else { return Ok(()) };
    hold(!before.state.is_final(), || format!("I11: rollout {} went on after its end", after.id))?;
    hold(after.epoch >= before.epoch && after.settled >= before.settled, || format!("rollout {} went back", after.id))
}

pub fn check_group(look: &Look<'_>, Pair { before, after }: &Pair<Group>) -> Result<(), String> {
    let Some(before) = before else { return Ok(()) };
    hold(after.revision > before.revision, || format!("group `{}` was written over", after.name))?;
    let Some(active) = before.active_rollout.as_ref().filter(|active| after.active_rollout.as_ref() != Some(active))
    else {
        return Ok(());
    };
    let place = (keys::owner_partition(&after.owner), format!("{}{active}", keys::ROLLOUTS));
    let is_going = look.mirror.get::<Rollout>(&place).is_some_and(|rollout| !rollout.state.is_final());
    hold(!is_going, || format!("group `{}` let rollout {active} go, which goes on", after.name))
}

pub fn check_task(Pair { before, after }: &Pair<Task>) -> Result<(), String> {
    hold(after.in_flight >= 0, || format!("the task of run {} has {} objects in hand", after.run, after.in_flight))?;
    let Some(before) = before else { return Ok(()) };
    if before.run != after.run {
        return hold(before.state == task::State::Ended, || {
            format!("the task of run {} was replaced while it was open", before.run)
        });
    }
    let took_more = before.state == task::State::Ended && after.counts.total_count > before.counts.total_count;
    hold(!took_more, || format!("I11: the task of run {} took an object after its end", after.run))?;
    let is_back = after.epoch < before.epoch
        || rank(after.state) < rank(before.state)
        || after.counts.total_count < before.counts.total_count;
    hold(!is_back, || format!("I11: the task of run {} went back", after.run))
}

fn rank(state: task::State) -> u8 {
    match state {
        task::State::Open => 0,
        task::State::Ending => 1,
        task::State::Ended => 2,
    }
}

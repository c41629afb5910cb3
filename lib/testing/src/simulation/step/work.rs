//! What must hold of each write of a rollout, of its group, of a task, and of a key.

use super::{CLOCKS, Look, Pair, hold, pair};
use crate::simulation::mirror::{Change, parsed};
use jiff::SignedDuration;
use tidemill_model::ids::RunId;
use tidemill_model::key::Key;
use tidemill_model::rollout::{Group, Rollout};
use tidemill_model::task::{self, Counts, Task};
use tidemill_model::version::sha256;
use tidemill_operations::lease::LEASE;
use tidemill_store::keys;

pub fn check_rollout(look: &Look<'_>, Pair { before, after }: &Pair<Rollout>) -> Result<(), String> {
    let Some(before) = before else { return Ok(()) };
    is_taken_from_the_dead(look, before, after)?;
    let is_of_another = after.begun != before.begun && after.begun != after.epoch;
    hold(!is_of_another, || format!("I2: rollout {} was written by a worker that had lost it", after.id))?;
    hold(!before.state.is_final(), || format!("I11: rollout {} went on after its end", after.id))?;
    hold(after.epoch >= before.epoch && after.settled >= before.settled, || format!("rollout {} went back", after.id))
}

/// A worker takes a rollout over whose lease was over on its own clock, by which its own lease begins.
fn is_taken_from_the_dead(look: &Look<'_>, before: &Rollout, after: &Rollout) -> Result<(), String> {
    let (Some(held), Some(holds)) = (&before.lease, &after.lease) else { return Ok(()) };
    let is_claim = after.epoch > before.epoch && !held.is_given_back() && !look.is_laptop;
    hold(!is_claim || held.until <= holds.until - LEASE, || {
        format!("I2: {} took rollout {} over, which {} holds until {}", holds.holder, after.id, held.holder, held.until)
    })
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

pub fn check_task(look: &Look<'_>, change: &Change) -> Result<(), String> {
    let Pair { before, after } = pair::<Task>(change, "a task is gone")?;
    let (before, after) = (before.as_ref(), &after);
    let run = &after.run;
    let objects = change.after.as_ref().and_then(|item| item["objects"].as_array()).map_or(0, Vec::len) as i64;
    hold(after.in_flight == objects, || {
        format!("the task of run {run} counts {} objects in hand, and names {objects}", after.in_flight)
    })?;
    hold(after.in_flight >= 0, || format!("the task of run {run} has {} objects in hand", after.in_flight))?;
    let has_ended_early = after.state == task::State::Ended && after.in_flight > 0;
    hold(!has_ended_early, || format!("I4: the task of run {run} ended with {} objects in hand", after.in_flight))?;
    let Counts { total_count, completed_count, failed_count, .. } = after.counts;
    hold(total_count == completed_count + failed_count + after.in_flight as u64, || {
        format!(
            "I3: of {total_count} objects of the task of run {run} {completed_count} came through, {failed_count} failed"
        )
    })?;
    let Some(before) = before else { return Ok(()) };
    if before.run != after.run {
        return hold(before.state == task::State::Ended, || {
            format!("the task of run {} was replaced while it was open", before.run)
        });
    }
    let is_back = after.epoch < before.epoch
        || rank(after.state) < rank(before.state)
        || total_count < before.counts.total_count
        || after.log_chunks < before.log_chunks;
    hold(!is_back, || format!("I11: the task of run {run} went back"))?;
    let took_more = before.state != task::State::Open && total_count > before.counts.total_count;
    hold(!took_more, || format!("I11: the task of run {run} took an object after its end"))?;
    ends_once(before, after)?;
    ends_when_it_was_idle(look, before, after)?;
    gives_up_the_dead_alone(look, before, after)?;
    let has_signs = (&before.busy_until, before.log_chunks) != (&after.busy_until, after.log_chunks);
    hold(!has_signs || after.in_flight > 0, || {
        format!("I2: an object of the task of run {run} went on after it was given up")
    })?;
    let served = |task: &Task| (task.pipeline_sha256.clone(), task.plan_sha256.clone());
    hold(served(before) == served(after) || after.restarts > before.restarts, || {
        format!("the task of run {run} was restarted over another restart")
    })
}

/// The reason of the end and its time are those of the first who asked for it.
fn ends_once(before: &Task, after: &Task) -> Result<(), String> {
    let is_as_before = before.end.is_none_or(|end| after.end == Some(end))
        && before.stopped_at.is_none_or(|at| after.stopped_at == Some(at))
        && before.ended_at.is_none_or(|at| after.ended_at == Some(at));
    hold(is_as_before, || format!("I11: the task of run {} was ended a second time", after.run))
}

/// A task that was used a moment ago is not idle.
fn ends_when_it_was_idle(look: &Look<'_>, before: &Task, after: &Task) -> Result<(), String> {
    let is_end = before.end.is_none() && after.end == Some(task::End::Idle);
    let idle_until = before.used_at + SignedDuration::from_secs(before.ttl_seconds.into());
    hold(!is_end || idle_until < look.now + CLOCKS, || {
        format!("the task of run {} ended as idle, and was used at {}", after.run, before.used_at)
    })
}

fn gives_up_the_dead_alone(look: &Look<'_>, before: &Task, after: &Task) -> Result<(), String> {
    let was_over = before.busy_until.is_none_or(|until| until < look.now + CLOCKS);
    hold(after.epoch == before.epoch || was_over, || {
        format!(
            "I2: objects of the task of run {} were given up, which are in hand until {:?}",
            after.run, before.busy_until
        )
    })
}

/// Callers of a source find its open task, until that has ended.
pub fn check_serving(look: &Look<'_>, change: &Change) -> Result<(), String> {
    #[derive(serde::Deserialize)]
    struct Serving {
        token: String,
        run: RunId,
    }
    let Some(before) = &change.before else { return Ok(()) };
    let before: Serving = parsed(before);
    let place = (change.place.0.clone(), format!("{}{}", keys::TASKS, sha256(before.token.as_bytes())));
    let task = look.mirror.get::<Task>(&place).filter(|task| task.run == before.run);
    hold(task.is_none_or(|task| task.state == task::State::Ended), || {
        format!("the task of run {} is open, and its source's callers do not find it any more", before.run)
    })
}

/// Not more tasks are open than one owner may have.
pub fn check_open_tasks(change: &Change) -> Result<(), String> {
    let open = change.after.as_ref().and_then(|item| item["open"].as_i64());
    hold(open.is_some_and(|open| (0..=i64::from(task::OPEN_LIMIT)).contains(&open)), || {
        format!("{open:?} tasks are open, of 0 to {}", task::OPEN_LIMIT)
    })
}

/// What a key was when it was revoked, it stays.
pub fn check_key(Pair { before, after }: &Pair<Key>) -> Result<(), String> {
    let was_revoked = before.as_ref().is_some_and(|before| before.revoked_at.is_some());
    hold(!was_revoked, || format!("key {} was written after it was revoked at another time", after.id))
}

fn rank(state: task::State) -> u8 {
    match state {
        task::State::Open => 0,
        task::State::Ending => 1,
        task::State::Ended => 2,
    }
}

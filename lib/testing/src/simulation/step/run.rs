//! What must hold of each write of a run.

use super::tick::has_one_outcome;
use super::{CLOCKS, Look, Pair, hold};
use tidemill_model::deployment::{Deployment, State};
use tidemill_model::run::{self, Run, Trigger};
use tidemill_store::keys;

pub fn check(look: &Look<'_>, Pair { before, after }: &Pair<Run>) -> Result<(), String> {
    let id = &after.id;
    let partition = keys::deployment_partition(&after.owner, &after.deployment);
    match before {
        None => is_made_rightly(look, &partition, after)?,
        Some(before) => {
            let moves = before.state == after.state && !before.state.is_final() || before.state.may_become(after.state);
            hold(moves, || format!("I11: run {id} went from {} to {}", before.state, after.state))?;
            let is_back =
                after.epoch < before.epoch || after.attempt < before.attempt || after.log_chunks < before.log_chunks;
            hold(!is_back, || {
                format!(
                    "run {id} went back: epoch {}, attempt {}, log {}",
                    after.epoch, after.attempt, after.log_chunks
                )
            })?;
            // What a dead worker counted ahead of its save is done again.
            let is_redone = after.attempt > before.attempt || before.deaths > 0 && after.deaths == 0;
            hold(is_redone || after.objects >= before.objects, || {
                format!("run {id} went back from {} to {} objects", before.objects, after.objects)
            })?;
            let forgot = before.cancel_requested_at.is_some() && after.cancel_requested_at.is_none();
            hold(!forgot, || format!("a request to cancel run {id} was forgotten"))?;
            is_held_by_one(look, before, after)?;
        }
    }
    if after.state == run::State::Running && after.takes_turns() {
        let going = look.mirror.of::<Run>(&partition, keys::RUNS, |item| item["state"] == run::State::Running.as_str());
        if let Some(other) = going.iter().find(|other| other.takes_turns() && other.id != *id) {
            return Err(format!("I2: runs {id} and {} are going at once", other.id));
        }
    }
    Ok(())
}

/// A worker writes under its own lease or gives it back, and takes over only one that is over.
fn is_held_by_one(look: &Look<'_>, before: &Run, after: &Run) -> Result<(), String> {
    let (Some(held), Some(holds)) = (&before.lease, &after.lease) else { return Ok(()) };
    let is_claim = after.epoch > before.epoch;
    hold(is_claim || held.holder == holds.holder || holds.is_given_back(), || {
        format!("I2: {} wrote run {} under the lease of {}", holds.holder, after.id, held.holder)
    })?;
    let was_over = held.until < look.now + CLOCKS;
    hold(!is_claim || was_over || look.is_laptop, || {
        format!("I2: {} took run {} over, which {} holds until {}", holds.holder, after.id, held.holder, held.until)
    })
}

fn is_made_rightly(look: &Look<'_>, partition: &str, run: &Run) -> Result<(), String> {
    if let Some(tick) = run.tick {
        has_one_outcome(look, partition, tick)?;
    }
    if run.trigger != Trigger::Schedule {
        return Ok(());
    }
    let place = (keys::owner_partition(&run.owner), keys::deployment_sort(&run.deployment));
    let deployment: Deployment = look.mirror.get(&place).ok_or("a run was made of no deployment")?;
    let of_now = deployment.state == State::Active && run.version == Some(deployment.version);
    hold(of_now, || {
        format!(
            "I7: a tick made run {} of version {:?}, and the deployment is {:?} at {}",
            run.id,
            run.version,
            deployment.state.status(),
            deployment.version
        )
    })
}

//! What a look finds of a rollout, and of the group that it is the active one of.

use crate::rollout::{Group, Rollout};
use crate::sweep::{Finding, Look, Patience, check_rollout};
use jiff::SignedDuration;

/// How long after it was rung for a rollout waits for a worker.
const ROLLOUT_PATIENCE: SignedDuration = SignedDuration::from_secs(45);
/// How long a rollout may wait for its first worker, or for the one that takes it over.
const IN_LINE: SignedDuration = SignedDuration::from_mins(15);

/// What is to be done for a group. `active` is the rollout that it names, if that is there.
pub fn of_group(group: &Group, active: Option<&Rollout>) -> Option<Finding> {
    (group.active_rollout.is_some() && active.is_none()).then_some(Finding::RolloutMissing)
}

/// What is to be done for a rollout.
///
/// It may stand in a long line for a worker, the first or one that takes it over from a process that died with all that it had
/// in hand. So the sweep rings for it again and again before it gives it up.
pub fn of_rollout(look: &Look<'_>, rollout: &Rollout) -> Option<Finding> {
    let finding = found(look, rollout);
    debug_assert_eq!(check_rollout(look, rollout, finding), Ok(()));
    finding
}

fn found(look: &Look<'_>, rollout: &Rollout) -> Option<Finding> {
    let Look { now, patience, process } = *look;
    if rollout.state.is_final() || rollout.lease.as_ref().is_some_and(|lease| lease.holds(now, process)) {
        return None;
    }
    let (since, is_lost) = (rollout.waits_since(), rollout.lost_its_worker());
    // A plane that starts has lost every bell, so it rings first.
    let rung = rollout.rung.filter(|rung| rung.epoch == rollout.epoch && patience != Patience::None);
    let ring = if is_lost { Finding::RolloutLost } else { Finding::RolloutWaits { since } };
    match rung {
        _ if !is_lost && since + patience.for_runs() > now => None,
        _ if since + IN_LINE > now => Some(ring),
        Some(rung) if rung.at + ROLLOUT_PATIENCE <= now => Some(Finding::NoWorkerCame { rung_at: rung.at }),
        Some(_) => None,
        None => Some(ring),
    }
}

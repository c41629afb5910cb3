//! A deployment whose minutes are ticked off until an instant to come, because the plane's clock was ahead for a while.
//!
//! Its head is brought back to now, and minutes that are still to come lose the outcome that they got without a run. A minute that
//! has run stays so: until the last of them, the ledger is asked before a minute starts a run.

use crate::deployment::change::Retry;
use crate::error::Error;
use crate::plane::Plane;
use crate::tick::list::ran;
use jiff::{SignedDuration, Timestamp};
use tidemill_model::deployment::Deployment;
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::ids::OwnerId;
use tidemill_model::retention::HISTORY;
use tidemill_model::tick::{Due, Stretch};
use tidemill_store::Part;

/// Stretches that are taken out in one transaction.
const AT_ONCE: usize = 50;
/// Minutes that may have run ahead and are looked at: more than a week of them.
const MOST: usize = 20_000;

/// What comes next of the minutes that are due.
pub enum Turn {
    /// These get their outcomes.
    Decide(Due),
    /// This one, the first, has run before its time.
    PassOver(Timestamp),
}

/// Brings a deployment that is ahead back to now.
pub async fn bring_back(plane: &Plane, owner: &OwnerId, id: &DeploymentId) -> Result<(), Error> {
    let mut retry = Retry::new();
    loop {
        let Some(before) = plane.store.deployment(owner, id).await? else { return Ok(()) };
        let now = plane.now();
        let Some(until) = before.is_ahead_of(now) else { return Ok(()) };
        let to_come = stretches_to_come(plane, &before, now).await?;
        let is_last = to_come.len() < AT_ONCE;
        let after = match is_last {
            true => before.brought_back(now),
            false => Deployment { revision: before.revision + 1, ..before.clone() },
        };
        let mut transaction = plane.store.transaction().deployment(&after, before.revision)?;
        for stretch in &to_come {
            let last = plane.calendar.previous_tick(&stretch.schedule, now).filter(|last| *last >= stretch.first);
            transaction = transaction.cut_stretch(owner, id, stretch, last, now + HISTORY)?;
        }
        match transaction.commit().await {
            Ok(()) if is_last => {
                tracing::info!(project.id = %id, "project `{id}` was ticked off until {until}, and is due again from now on");
                plane.follow(&after).await;
                return Ok(());
            }
            Ok(()) => {}
            Err(error) => retry.again(plane, error, Part::Deployment).await?,
        }
    }
}

/// The newest stretches that reach beyond now.
async fn stretches_to_come(plane: &Plane, deployment: &Deployment, now: Timestamp) -> Result<Vec<Stretch>, Error> {
    let newest = plane.store.stretches(&deployment.owner, &deployment.id, None, AT_ONCE).await?;
    Ok(newest.into_iter().take_while(|stretch| stretch.last > now).collect())
}

/// What comes next of a deployment's due minutes. None but those up to [`Deployment::ran_ahead`] are looked up.
pub async fn turn(plane: &Plane, deployment: &Deployment, due: Due) -> Result<Turn, Error> {
    if deployment.ran_ahead.is_none_or(|ahead| ahead < due.first) {
        return Ok(Turn::Decide(due));
    }
    let just_after = due.last + SignedDuration::from_millis(1);
    let found = ran(plane, deployment, Some(due.first), Some(just_after), MOST).await?;
    // A run is made up to some minutes before its tick, so earlier ones are among them.
    let first = found.iter().map(|tick| tick.at).filter(|at| *at >= due.first).min();
    Ok(match first {
        None => Turn::Decide(due),
        Some(at) => match plane.calendar.previous_tick(&deployment.schedule, at).filter(|last| *last >= due.first) {
            Some(last) => Turn::Decide(Due { last, ..due }),
            None => Turn::PassOver(at),
        },
    })
}

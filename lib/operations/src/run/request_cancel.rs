//! Writes on a run's record that it is to end, for [`super::Cancel`] and for a task that ends.

use crate::error::{Code, Error};
use crate::hint::Noun;
use crate::plane::Plane;
use crate::run::turn::{bell, read};
use jiff::Timestamp;
use std::time::Duration;
use tidemill_model::run::Run;
use tidemill_store::Part;

/// How often a cancel that met the worker's own write tries again.
const TRIES: usize = 20;

/// Asks a run to end that was just read, but not the task that it may be of. Gives the run as it is then.
///
/// # Errors
/// [`Code::FailedPrecondition`] if it has ended already.
pub(crate) async fn request_cancel(plane: &Plane, run: Run, now: Timestamp) -> Result<Run, Error> {
    let mut before = run;
    for _ in 0..TRIES {
        if before.state.is_final() {
            let message = format!("run `{}` has already ended: {}", before.id, before.state);
            return Err(Error::new(Code::FailedPrecondition, message).hint("there is nothing left to cancel"));
        }
        if before.cancel_requested_at.is_some() {
            return Ok(before);
        }
        let (transaction, after) = plane.store.transaction().cancel_run(&before, now)?;
        match transaction.commit().await {
            Ok(()) => {
                plane.memory.cancels.notify(&after.id);
                if after.state.is_final() {
                    plane.memory.ends.notify(&after.id);
                }
                plane.ring(bell(&after), Duration::ZERO).await;
                plane.notify_watchers(&after.owner).await;
                return Ok(after);
            }
            Err(error) if error.rejects(Part::Run) => {
                let found = read(plane, &before.owner, &before.deployment, &before.id).await?;
                before = found.ok_or_else(|| Error::not_found(Noun::Run, &before.id))?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::new(Code::Unavailable, "the run kept changing while it was to be cancelled").hint("try again"))
}

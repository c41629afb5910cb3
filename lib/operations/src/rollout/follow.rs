//! Follows a rollout while it goes on.
//!
//! However many follow one, its record is read once for all of them; it is read again when its worker is of this
//! process and has moved on, and now and then, because its worker may be of another.

use crate::error::Error;
use crate::hint::Noun;
use crate::plane::{Call, Plane};
use crate::rollout::watches::{Following, Snapshot};
use std::sync::Arc;
use std::time::Duration;
use tidemill_model::ids::RolloutId;
use tidemill_model::rollout::{Resource, Rollout};
use tokio::sync::{Notify, watch};

/// How often a rollout is read whose worker is in another process.
const LOOK: Duration = Duration::from_millis(250);
/// Shortest time between two snapshots: faster changes are sent together.
const SHORTEST: Duration = Duration::from_millis(50);

/// Follows a rollout. The first snapshot is there at once; the last one is of a final state.
///
/// # Errors
/// [`crate::Code::NotFound`] if the caller has no such rollout.
pub async fn follow(plane: &Arc<Plane>, call: &Call, id: &RolloutId) -> Result<Following, Error> {
    let rollout = plane.store.rollout(&call.owner, id).await?.ok_or_else(|| Error::not_found(Noun::Rollout, id))?;
    if let Some((sender, known)) = plane.memory.watches.following(id) {
        // The last snapshot may be old, if the process was frozen since.
        let resources = known.borrow().resources.clone();
        forward(&sender, with_resources(plane, rollout, resources).await?);
        return Ok(known);
    }
    let snapshot = with_resources(plane, rollout, Arc::default()).await?;
    let (sender, following) = watch::channel(snapshot);
    let sender = Arc::new(sender);
    let moved = plane.memory.watches.keep(id, &sender);
    tokio::spawn(send_snapshots(plane.clone(), sender, moved));
    Ok(following)
}

/// Reads the rollout until it has ended or has no followers left.
async fn send_snapshots(plane: Arc<Plane>, sender: Arc<watch::Sender<Snapshot>>, moved: Arc<Notify>) {
    loop {
        let Snapshot { rollout, resources } = sender.borrow().clone();
        if rollout.state.is_final() || plane.is_stopping() {
            return;
        }
        tokio::select! {
            () = sender.closed() => return,
            () = moved.notified() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
        match read(&plane, &rollout, resources).await {
            Ok(Some(snapshot)) => forward(&sender, snapshot),
            Ok(None) => return,
            Err(error) => {
                tracing::debug!(rollout.id = %rollout.id, error = error.with_causes(), "a rollout could not be read")
            }
        }
        tokio::time::sleep(SHORTEST).await;
    }
}

async fn read(plane: &Plane, before: &Rollout, known: Arc<Vec<Resource>>) -> Result<Option<Snapshot>, Error> {
    let Some(rollout) = plane.store.rollout(&before.owner, &before.id).await? else { return Ok(None) };
    with_resources(plane, rollout, known).await.map(Some)
}

async fn with_resources(plane: &Plane, rollout: Rollout, known: Arc<Vec<Resource>>) -> Result<Snapshot, Error> {
    let resources = match rollout.settled as usize > known.len() {
        true => Arc::new(settled(plane, &rollout, known.as_ref().clone()).await?),
        false => known,
    };
    Ok(Snapshot { rollout, resources })
}

/// Sends a snapshot, unless a later one was sent already: two of them may be read at once.
fn forward(sender: &watch::Sender<Snapshot>, snapshot: Snapshot) {
    let age = |rollout: &Rollout| (rollout.state.is_final(), rollout.epoch, rollout.settled, rollout.step as u8);
    sender.send_if_modified(|sent| {
        let is_new = sent.rollout != snapshot.rollout && age(&sent.rollout) <= age(&snapshot.rollout);
        if is_new {
            *sent = snapshot;
        }
        is_new
    });
}

/// The first resources of a rollout, as many as it says are settled.
pub(crate) async fn settled(
    plane: &Plane,
    rollout: &Rollout,
    mut known: Vec<Resource>,
) -> Result<Vec<Resource>, Error> {
    if rollout.settled as usize > known.len() {
        known.extend(plane.store.resources(&rollout.id, known.len() as u32).await?);
        known.truncate(rollout.settled as usize);
    }
    Ok(known)
}

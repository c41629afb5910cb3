//! Rings for WebSockets of API Gateway that watch an owner's tasks. A bell rings only for owners who have some, and not
//! while another one waits to be answered: its handler sends this change too.

use crate::bell::Bell;
use crate::error::Error;
use crate::plane::Plane;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use tidemill_model::ids::OwnerId;
use tidemill_store::{Part, Watching};

/// How long a bell may wait to be answered before it counts as lost.
const LOST: SignedDuration = SignedDuration::from_secs(10);

impl Plane {
    /// Notifies WebSockets that watch an owner's tasks and that no process holds; call it after the change is written.
    /// The change is in the table and the sweep rings for it too, so a failure is logged and not the caller's.
    pub async fn notify_watchers(&self, owner: &OwnerId) {
        if self.sockets.is_none() {
            return;
        }
        if let Err(error) = ring(self, owner).await {
            tracing::warn!(error = error.with_causes(), "could not notify watchers; the sweep will retry");
        }
    }
}

/// Rings, unless no WebSocket watches or a bell rings already.
async fn ring(plane: &Plane, owner: &OwnerId) -> Result<(), Error> {
    let now = plane.now();
    let seen = plane.store.watching(owner).await?;
    let Some(seen) = seen.filter(|seen| seen.watches && !rings(seen, now)) else { return Ok(()) };
    match plane.store.ring_watching(owner, &seen, now).await {
        Ok(_) => plane.queue.ring(Bell::Watch { owner: owner.clone() }, Duration::ZERO).await,
        // Another worker rang for a later change, or began to send this one.
        Err(error) if error.rejects(Part::Socket) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn rings(seen: &Watching, now: Timestamp) -> bool {
    seen.rung != 0 && now.as_millisecond() - seen.rung < LOST.as_millis() as i64
}

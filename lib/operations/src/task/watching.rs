//! Rings for those who watch an owner's tasks on WebSockets of API Gateway. A bell is rung only for owners who have some,
//! and none is rung while another one waits to be answered: whoever answers it looks after this change.

use crate::bell::Bell;
use crate::error::Error;
use crate::plane::Plane;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use tidemill_model::ids::OwnerId;
use tidemill_store::{Part, Watching};

/// How long a bell may wait to be answered before it counts as lost.
const LOST: SignedDuration = SignedDuration::from_secs(10);

/// Rings, unless nobody watches or a bell rings already. To be called after what is to be told was written.
pub async fn ring(plane: &Plane, owner: &OwnerId) -> Result<(), Error> {
    let now = plane.now();
    let seen = plane.store.watching(owner).await?;
    let Some(seen) = seen.filter(|seen| seen.watches && !rings(seen, now)) else { return Ok(()) };
    match plane.store.ring_watching(owner, &seen, now).await {
        Ok(_) => plane.queue.ring(Bell::Watch { owner: owner.clone() }, Duration::ZERO).await,
        // Somebody else rang for a later change, or began to look after this one.
        Err(error) if error.rejects(Part::Socket) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn rings(seen: &Watching, now: Timestamp) -> bool {
    seen.rung != 0 && now.as_millisecond() - seen.rung < LOST.as_millis() as i64
}

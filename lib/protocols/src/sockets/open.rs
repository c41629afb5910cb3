//! `socket_open`: whether a WebSocket may be opened.

use super::{Event, Outcome};
use crate::dap::connections::{STRANGERS_LIMIT, household};
use futures::future::BoxFuture;
use std::sync::Arc;
use tidemill_operations::{Error, Plane};
use tidemill_store::Stranger;

/// Lets a stranger in, if its address has not too many of them already.
pub fn open(plane: &Arc<Plane>, event: Event) -> BoxFuture<'_, Result<Outcome, Error>> {
    Box::pin(async move {
        if event.is_of_page {
            // No page is served from here, so it is one of another origin.
            return Ok(Outcome::Refused(403));
        }
        let address = household(event.peer).to_string();
        let Event { connection: id, opened_at, .. } = event;
        let stranger = Stranger { id, address, opened_at };
        // Counted when it is written already, so of several at once there are never too many; all may be turned away.
        if plane.store.add_stranger(&stranger).await? > STRANGERS_LIMIT {
            plane.store.remove_stranger(&stranger.address, &stranger.id).await?;
            return Ok(Outcome::Refused(429));
        }
        Ok(Outcome::Taken)
    })
}

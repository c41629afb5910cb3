//! WebSockets without a login.

use crate::error::Error;
use crate::plane::{Plane, Sockets};
use jiff::{SignedDuration, Timestamp};
use tidemill_store::Stranger;

/// How long a WebSocket may have no login: the time for one, and as long as the function may take that answers it.
const PATIENCE: SignedDuration = SignedDuration::from_secs(super::LOGIN_TIME.as_secs() + 29);

/// Whether a stranger's time is over, and no login of its is still being answered.
pub fn is_late(stranger: &Stranger, now: Timestamp) -> bool {
    now.duration_since(stranger.opened_at) >= PATIENCE
}

/// Closes the sockets of strangers whose time is over.
pub(super) async fn close_late(plane: &Plane, sockets: &dyn Sockets) -> Result<(), Error> {
    for stranger in plane.store.strangers().await? {
        if is_late(&stranger, plane.now()) {
            sockets.close(&stranger.id).await?;
            plane.store.remove_stranger(&stranger.address, &stranger.id).await?;
        }
    }
    Ok(())
}

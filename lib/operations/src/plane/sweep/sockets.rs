//! WebSockets without a login.

use crate::bell::Bell;
use crate::error::Error;
use crate::plane::Plane;
use jiff::{SignedDuration, Timestamp};
use tidemill_store::Stranger;

/// How long a WebSocket may be one of a stranger: 5 s, and as long as the function may take that answers a login.
const LOGIN_PATIENCE: SignedDuration = SignedDuration::from_secs(5 + 29);

/// Whether a WebSocket's stranger has not logged in in time, and no login is still being answered.
pub fn is_late(stranger: &Stranger, now: Timestamp) -> bool {
    now.duration_since(stranger.opened_at) >= LOGIN_PATIENCE
}

/// Rings for WebSockets whose strangers did not log in in time.
pub(super) async fn ring_for_strangers(plane: &Plane) -> Result<(), Error> {
    let strangers = plane.store.strangers().await?;
    if strangers.iter().any(|stranger| is_late(stranger, plane.now())) {
        plane.ring_again(Bell::Strangers).await;
    }
    Ok(())
}

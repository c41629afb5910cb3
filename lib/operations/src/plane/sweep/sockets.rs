//! WebSockets without a login.

use crate::bell::Bell;
use crate::error::Error;
use crate::plane::Plane;
use crate::socket::is_late;

/// Rings for WebSockets whose strangers did not log in in time.
pub(super) async fn ring_for_strangers(plane: &Plane) -> Result<(), Error> {
    let strangers = plane.store.strangers().await?;
    if strangers.iter().any(|stranger| is_late(stranger, plane.now())) {
        plane.ring_again(Bell::Strangers).await;
    }
    Ok(())
}

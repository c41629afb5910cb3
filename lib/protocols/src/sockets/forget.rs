//! What is done when a WebSocket is not there any more.

use tidemill_model::ids::ConnectionId;
use tidemill_operations::{Error, Plane};

/// Forgets a WebSocket that may have been logged in on.
pub async fn forget(plane: &Plane, id: &ConnectionId) -> Result<(), Error> {
    let known = plane.store.socket(id).await?;
    if let Some(socket) = known {
        let owner = socket.login.map(|login| login.owner);
        plane.store.forget_socket(owner.as_ref(), id).await?;
    }
    Ok(())
}

//! `socket_close`: forgets a WebSocket that has closed.

use super::{Connection, household};
use crate::error::Error;
use crate::plane::Plane;
use tidemill_model::ids::ConnectionId;

/// Forgets a socket and its household's count of it. If this call never comes, the next attempt to send forgets it.
pub async fn run(plane: &Plane, connection: &Connection) -> Result<(), Error> {
    plane.store.remove_stranger(&household(connection.peer).to_string(), &connection.id).await?;
    forget(plane, &connection.id).await
}

/// Forgets a socket that may have a login.
pub async fn forget(plane: &Plane, id: &ConnectionId) -> Result<(), Error> {
    let Some(socket) = plane.store.socket(id).await? else { return Ok(()) };
    let owner = socket.login.map(|login| login.owner);
    Ok(plane.store.forget_socket(owner.as_ref(), id).await?)
}

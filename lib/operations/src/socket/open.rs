//! `socket_open`: decides whether a WebSocket may open.

use super::{Connection, STRANGERS_LIMIT, WAITING_LIMIT, household};
use crate::error::Error;
use crate::plane::Plane;
use tidemill_store::Stranger;

/// Whether a WebSocket may open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    Admitted,
    /// A page of another origin asks: none is served from here.
    ForeignPage,
    /// Its household has too many sockets without a login.
    TooManyStrangers,
}

/// Admits a stranger, unless its household has too many of them.
pub async fn run(plane: &Plane, connection: Connection, is_of_page: bool) -> Result<Admission, Error> {
    if is_of_page {
        return Ok(Admission::ForeignPage);
    }
    let address = household(connection.peer).to_string();
    let Connection { id, opened_at, .. } = connection;
    let stranger = Stranger { id, address, opened_at };
    // The count includes this one, so of several at once there are never too many; all of them may be refused.
    if plane.store.add_stranger(&stranger).await? > STRANGERS_LIMIT + WAITING_LIMIT {
        plane.store.remove_stranger(&stranger.address, &stranger.id).await?;
        return Ok(Admission::TooManyStrangers);
    }
    Ok(Admission::Admitted)
}

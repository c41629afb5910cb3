//! Deletes what has expired, on a laptop. In the cloud the table does it by itself.

use crate::Plane;
use crate::error::Error;

/// Deletes every item that has expired by now, and gives how many.
pub async fn run(plane: &Plane) -> Result<usize, Error> {
    Ok(plane.store.delete_expired(plane.now()).await?)
}

//! Notices of changed environments, for clients that watch. Each change writes its own in its transaction, so every
//! process sends the same.

use crate::error::Error;
use crate::plane::{Call, Plane};
use jiff::Timestamp;
pub use tidemill_store::Notice;

/// Most notices of one answer. A client reads what changed after a notice, so one matters more than their number.
const LIMIT: usize = 500;

/// The caller's notices since an instant. They are kept for ten minutes.
pub async fn since(plane: &Plane, call: &Call, since: Timestamp) -> Result<Vec<Notice>, Error> {
    Ok(plane.store.notices(&call.owner, since, LIMIT).await?)
}

//! That environments changed, for those who watch. Each change says so in its own transaction, so every process tells
//! the same.

use crate::error::Error;
use crate::plane::{Call, Plane};
use jiff::Timestamp;
pub use tidemill_store::Notice;

/// Most notices of one answer. Whoever is told reads what changed, so that there was a change matters more than how
/// many there were.
const LIMIT: usize = 500;

/// The caller's notices since an instant. They are kept for ten minutes.
pub async fn since(plane: &Plane, call: &Call, since: Timestamp) -> Result<Vec<Notice>, Error> {
    Ok(plane.store.notices(&call.owner, since, LIMIT).await?)
}

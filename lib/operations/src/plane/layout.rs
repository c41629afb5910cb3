//! Whether this version may open the table.

use crate::error::Error;
use crate::plane::Plane;

/// Makes sure that this version may read and write the table. It also opens the connection that the first event needs.
///
/// A table that cannot be asked is left to the first event, which tries again.
///
/// # Errors
/// The table belongs to a newer version.
pub async fn check(plane: &Plane) -> Result<(), Error> {
    match plane.store.newer_layout().await {
        Ok(None) => Ok(()),
        Ok(Some(layout)) => Err(Error::internal(format!("{layout}; deploy a newer version of Tidemill"))),
        Err(error) => {
            tracing::warn!(%error, "could not read the layout of the table");
            Ok(())
        }
    }
}

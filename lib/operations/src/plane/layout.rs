//! Whether this version may open the table.

use crate::error::Error;
use crate::plane::Plane;
use std::time::Duration;

/// How long a start waits for the answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Makes sure that this version may read and write the table. It also opens the connection that the first event needs.
///
/// A table that does not answer within a second does not keep a process from starting: the first event meets it.
///
/// # Errors
/// The table belongs to a newer version.
pub async fn check(plane: &Plane) -> Result<(), Error> {
    let Ok(asked) = tokio::time::timeout(PATIENCE, plane.store.newer_layout()).await else {
        tracing::warn!("the table did not say in time which layout it has");
        return Ok(());
    };
    match asked {
        Ok(None) => Ok(()),
        Ok(Some(layout)) => Err(Error::internal(format!("{layout}; deploy a newer version of Tidemill"))),
        Err(error) => {
            tracing::warn!(%error, "could not read the layout of the table");
            Ok(())
        }
    }
}

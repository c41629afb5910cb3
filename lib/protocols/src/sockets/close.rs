//! `socket_close`: a WebSocket is gone.

use super::forget::forget;
use super::{Event, Outcome};
use crate::dap::connections::household;
use futures::future::BoxFuture;
use std::sync::Arc;
use tidemill_operations::{Error, Plane};

/// Forgets what was known of it. When this call never comes, whoever finds nobody there forgets it.
pub fn close(plane: &Arc<Plane>, event: Event) -> BoxFuture<'_, Result<Outcome, Error>> {
    Box::pin(async move {
        plane.store.remove_stranger(&household(event.peer).to_string(), &event.connection).await?;
        forget(plane, &event.connection).await?;
        Ok(Outcome::Taken)
    })
}

//! Waits until a rollout has ended.

use crate::error::{Code, Error};
use crate::plane::{Call, Plane};
use crate::rollout::follow::follow;
use crate::rollout::watches::Snapshot;
use std::sync::Arc;
use std::time::Duration;
use tidemill_model::ids::RolloutId;
use tidemill_model::key::Scope;

/// What the caller's key must be allowed to do.
pub const SCOPE: Scope = Scope::Monitor;
/// Longest wait of one request: gateways give up after 29 seconds.
pub const LONGEST: Duration = Duration::from_secs(20);

/// Gives the rollout once it is final, or as it is when the wait is over. Waits [`LONGEST`] at most.
///
/// # Errors
/// [`Code::NotFound`] if the caller has no such rollout.
pub async fn wait(plane: &Arc<Plane>, call: &Call, id: &RolloutId, longest: Duration) -> Result<Snapshot, Error> {
    let mut following = follow(plane, call, id).await?;
    let ended = tokio::time::timeout(longest.min(LONGEST), async {
        following.wait_for(|sent| sent.rollout.state.is_final()).await.map(|sent| sent.clone())
    });
    match ended.await {
        Ok(Ok(snapshot)) => Ok(snapshot),
        // No more snapshots will come.
        Ok(Err(_)) => Err(Error::new(Code::Unavailable, "the plane is stopping").hint("try again in a moment")),
        Err(_) => Ok(following.borrow().clone()),
    }
}

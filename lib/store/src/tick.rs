//! The ledger of ticks that made no run. The run itself records the tick that made it.

use crate::error::{Error, Part};
use crate::item::{expiring, to_item};
use crate::page::{Order, Range};
use crate::transaction::{Condition, Transaction};
use crate::{Store, keys};
use jiff::Timestamp;
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::ids::OwnerId;
use tidemill_model::tick::Stretch;

impl Store {
    /// Stretches that begin at `until` or before, newest first.
    pub async fn stretches(
        &self,
        owner: &OwnerId,
        deployment: &DeploymentId,
        until: Option<Timestamp>,
        most: usize,
    ) -> Result<Vec<Stretch>, Error> {
        let mut range = Range::prefix(keys::deployment_partition(owner, deployment), keys::TICKS, Order::Descending);
        if let Some(until) = until {
            range.to = keys::tick_sort(until);
        }
        let items = self.some(range, most).await?;
        items.into_iter().map(crate::item::from_item).collect()
    }
}

impl Transaction<'_> {
    /// Takes a stretch out of the ledger, or leaves of it what is up to `last`. The transaction holds the deployment.
    pub fn cut_stretch(
        self,
        owner: &OwnerId,
        deployment: &DeploymentId,
        stretch: &Stretch,
        last: Option<Timestamp>,
        expires: Timestamp,
    ) -> Result<Self, Error> {
        let key = keys::tick(owner, deployment, stretch.first);
        let Some(last) = last else { return Ok(self.delete(Part::Tick, &key)) };
        let item = to_item(&key, &Stretch { last, ..stretch.clone() })?;
        Ok(self.put(Part::Tick, expiring(item, expires), Condition::none()))
    }

    /// Records a stretch; no other may begin at the same tick.
    pub fn stretch(
        self,
        owner: &OwnerId,
        deployment: &DeploymentId,
        stretch: &Stretch,
        expires: Timestamp,
    ) -> Result<Self, Error> {
        let item = to_item(&keys::tick(owner, deployment, stretch.first), stretch)?;
        Ok(self.put(Part::Tick, expiring(item, expires), Condition::absent()))
    }
}

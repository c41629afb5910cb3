//! The trace of a task's objects, or of the steps of a run, for watchers: a chunk for each, written when it has ended and
//! deleted soon after.

use crate::error::{Error, Part};
use crate::item::expiring;
use crate::keys::Key;
use crate::log::{chunk, chunk_item};
use crate::page::{Order, Range};
use crate::transaction::{Condition, Transaction};
use crate::{Store, keys};
use jiff::Timestamp;
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::ids::{OwnerId, RunId};

impl Store {
    /// The first chunks from number `from` on, each with its number. Objects end in any order, so a lower number may
    /// still come.
    pub async fn traces(
        &self,
        owner: &OwnerId,
        deployment: &DeploymentId,
        run: &RunId,
        from: u64,
        most: usize,
    ) -> Result<Vec<(u64, String)>, Error> {
        let partition = keys::deployment_partition(owner, deployment);
        let mut range = Range::prefix(partition, &keys::traces(run), Order::Ascending);
        range.from = keys::trace(owner, deployment, run, from).sort;
        let items = self.some(range, most).await?;
        items.iter().map(chunk).collect()
    }

    /// The chunk of a number, if it is there.
    pub async fn one_trace(
        &self,
        owner: &OwnerId,
        deployment: &DeploymentId,
        run: &RunId,
        number: u64,
    ) -> Result<Option<String>, Error> {
        let Key { partition, sort } = keys::trace(owner, deployment, run, number);
        let range = Range { partition, from: sort.clone(), to: sort, order: Order::Ascending };
        let found = self.some(range, 1).await?;
        found.first().map(|item| chunk::<u64>(item).map(|(_, text)| text)).transpose()
    }
}

impl Transaction<'_> {
    /// Adds the chunk of an object, or of a step, which is JSON.
    pub fn trace(
        self,
        owner: &OwnerId,
        deployment: &DeploymentId,
        run: &RunId,
        number: u64,
        text: &str,
        expires: Timestamp,
    ) -> Result<Self, Error> {
        let item = chunk_item(&keys::trace(owner, deployment, run, number), text)?;
        Ok(self.put(Part::Other, expiring(item, expires), Condition::none()))
    }
}

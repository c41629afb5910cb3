//! Checkpoints of runs: one item each, replaced in the transaction of each save. A larger one is stored in chunks before
//! that transaction, which names them in the run's record.
//!
//! A process that dies between the two leaves chunks that no record names; they expire.

use crate::body::{CHUNK, delete_request, packed_attribute, unpacked_attribute};
use crate::error::{Error, Part};
use crate::item::expiring;
use crate::transaction::{Condition, Transaction};
use crate::{Store, keys};
use jiff::Timestamp;
use tidemill_model::run::{LargeCheckpoint, Run};

const CHECKPOINT: &str = "checkpoint";
/// Bytes of a text that fit into an item even if they cannot be compressed.
const SMALL: usize = CHUNK - 1024;

/// How far a run has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint(pub String);

impl Store {
    /// Reads the last checkpoint of a run, or `None` if none was saved.
    pub async fn checkpoint(&self, run: &Run) -> Result<Option<Checkpoint>, Error> {
        let bytes = match &run.large_checkpoint {
            Some(large) => Some(self.large_checkpoint(run, large).await?),
            None => self.small_checkpoint(run).await?,
        };
        let text = bytes.map(String::from_utf8).transpose();
        Ok(text.map_err(|_| Error::Corrupt("a checkpoint is not text".into()))?.map(Checkpoint))
    }

    async fn small_checkpoint(&self, run: &Run) -> Result<Option<Vec<u8>>, Error> {
        let key = keys::checkpoint(&run.owner, &run.deployment, &run.id);
        let item = self.item(&key).await?;
        item.map(|item| unpacked_attribute(&item, CHECKPOINT)).transpose()
    }

    async fn large_checkpoint(&self, run: &Run, large: &LargeCheckpoint) -> Result<Vec<u8>, Error> {
        let partition = keys::deployment_partition(&run.owner, &run.deployment);
        let found = self.body_at(partition, &keys::checkpoint_bodies(&run.id), &large.sha256).await?;
        found.ok_or_else(|| Error::Corrupt(format!("the checkpoint of run `{}` is missing", run.id)))
    }

    /// Stores a checkpoint that is too large for one item, for the run to name; `None` if it is not.
    ///
    /// # Errors
    /// [`Error::TooLarge`] if it is larger than a body may be.
    pub async fn put_large_checkpoint(
        &self,
        run: &Run,
        Checkpoint(text): &Checkpoint,
        expires: Timestamp,
    ) -> Result<Option<LargeCheckpoint>, Error> {
        if text.len() <= SMALL {
            return Ok(None);
        }
        let partition = keys::deployment_partition(&run.owner, &run.deployment);
        let stored = self.put_body_at(partition, &keys::checkpoint_bodies(&run.id), text.as_bytes(), expires).await?;
        Ok(Some(LargeCheckpoint { sha256: stored.name, chunks: stored.chunks }))
    }

    /// Deletes a large checkpoint that a run no longer goes on from.
    pub async fn delete_large_checkpoint(&self, run: &Run, large: &LargeCheckpoint) -> Result<(), Error> {
        let partition = keys::deployment_partition(&run.owner, &run.deployment);
        let bodies = keys::checkpoint_bodies(&run.id);
        let key = |chunk| keys::body_chunk(partition.clone(), &bodies, &large.sha256, chunk as usize);
        let deletes = (0..large.chunks).map(|chunk| delete_request(&key(chunk)));
        self.write_batches(deletes.collect()).await
    }
}

impl Transaction<'_> {
    /// Writes a run's checkpoint, empty where the run names a large one: a version that does not know of those stops at
    /// it, instead of going on from an earlier one.
    pub fn checkpoint(self, run: &Run, checkpoint: &Checkpoint, expires: Timestamp) -> Result<Self, Error> {
        let mut item = keys::checkpoint(&run.owner, &run.deployment, &run.id).attributes();
        if run.large_checkpoint.is_none() {
            item.insert(CHECKPOINT.into(), packed_attribute(checkpoint.0.as_bytes())?);
        }
        Ok(self.put(Part::Other, expiring(item, expires), Condition::none()))
    }
}

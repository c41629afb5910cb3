//! A run's log, in chunks that are appended as the run goes on.

use crate::body::{packed_attribute, unpacked_attribute};
use crate::error::{Error, Part};
use crate::item::{Item, expiring};
use crate::keys::Key;
use crate::page::{Order, Range, sort_of};
use crate::transaction::{Condition, Transaction};
use crate::{Store, keys};
use jiff::Timestamp;
use std::str::FromStr;
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::ids::{OwnerId, RunId};
use tidemill_model::run::Run;

const LINES: &str = "lines";

impl Store {
    /// The chunks of a run's log from number `from` on, each a JSON list of lines, with their numbers.
    pub async fn log_chunks(
        &self,
        owner: &OwnerId,
        deployment: &DeploymentId,
        run: &RunId,
        from: u32,
        most: usize,
    ) -> Result<Vec<(u32, String)>, Error> {
        let mut range =
            Range::prefix(keys::deployment_partition(owner, deployment), &keys::log_chunks(run), Order::Ascending);
        range.from = keys::log_chunk(owner, deployment, run, from).sort;
        let items = self.some(range, most).await?;
        items.iter().map(chunk).collect()
    }
}

/// Reads a chunk of text and its number, which is the end of its key.
pub(crate) fn chunk<N: FromStr>(item: &Item) -> Result<(N, String), Error> {
    let sort = sort_of(item)?;
    let number = sort.rsplit('#').next().and_then(|digits| digits.parse().ok());
    let text = String::from_utf8(unpacked_attribute(item, LINES)?).ok();
    number.zip(text).ok_or_else(|| Error::Corrupt(format!("chunk `{sort}` cannot be read")))
}

pub(crate) fn chunk_item(key: &Key, text: &str) -> Result<Item, Error> {
    let mut item = key.attributes();
    item.insert(LINES.into(), packed_attribute(text.as_bytes())?);
    Ok(item)
}

impl Transaction<'_> {
    /// Appends a chunk, a JSON list of lines, to the log of a run whose record counts the chunks. None is ever replaced.
    pub fn new_log_chunk(self, run: &Run, number: u32, lines: &str, expires: Timestamp) -> Result<Self, Error> {
        let item = chunk_item(&keys::log_chunk(&run.owner, &run.deployment, &run.id, number), lines)?;
        Ok(self.put(Part::Other, expiring(item, expires), Condition::absent()))
    }

    /// Appends a chunk to the log of a task, whose numbers are drawn one by one: see [`Store::next_log_chunk`].
    pub fn log_chunk(
        self,
        owner: &OwnerId,
        deployment: &DeploymentId,
        run: &RunId,
        number: u32,
        lines: &str,
        expires: Timestamp,
    ) -> Result<Self, Error> {
        let item = chunk_item(&keys::log_chunk(owner, deployment, run, number), lines)?;
        Ok(self.put(Part::Other, expiring(item, expires), Condition::none()))
    }
}

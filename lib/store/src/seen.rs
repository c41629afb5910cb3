//! Keys that `dedupe` has seen, with their expiry.

use crate::error::{Error, Part};
use crate::item::{expiring, text};
use crate::keys::{EXPIRES, SORT};
use crate::transaction::{Condition, Transaction};
use crate::{Store, keys};
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use jiff::Timestamp;
use std::collections::HashSet;
use std::time::Duration;
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::ids::OwnerId;

/// Keys of one batch read, by DynamoDB's limit.
const BATCH: usize = 100;
const BATCH_TRIES: u32 = 8;

impl Store {
    /// Which of some keys a component has seen and not yet forgotten, in their order.
    pub async fn seen(
        &self,
        owner: &OwnerId,
        deployment: &DeploymentId,
        component: &str,
        wanted: &[String],
        now: Timestamp,
    ) -> Result<Vec<bool>, Error> {
        let sorts: Vec<_> = wanted.iter().map(|key| keys::seen(owner, deployment, component, key)).collect();
        let distinct: Vec<&keys::Key> = sorts.iter().collect::<HashSet<_>>().into_iter().collect();
        let mut found = HashSet::new();
        for batch in distinct.chunks(BATCH) {
            self.seen_batch(batch, now, &mut found).await?;
        }
        Ok(sorts.iter().map(|key| found.contains(&key.sort)).collect())
    }

    async fn seen_batch(&self, batch: &[&keys::Key], now: Timestamp, found: &mut HashSet<String>) -> Result<(), Error> {
        let wanted = batch.iter().map(|key| key.attributes()).collect();
        let mut request = Some(KeysAndAttributes::builder().set_keys(Some(wanted)).consistent_read(true).build());
        for attempt in 1..=BATCH_TRIES {
            let Some(Ok(asked)) = request.take() else { return Ok(()) };
            let answer = self.client.batch_get_item().request_items(&self.table, asked).send().await?;
            let items = answer.responses.and_then(|mut tables| tables.remove(&self.table)).unwrap_or_default();
            for item in items {
                let expires = item.get(EXPIRES).and_then(|value| value.as_n().ok()?.parse::<i64>().ok());
                // The table deletes expired items late.
                if expires.is_some_and(|at| at > now.as_second())
                    && let Some(AttributeValue::S(sort)) = item.get(SORT)
                {
                    found.insert(sort.clone());
                }
            }
            let left = answer.unprocessed_keys.and_then(|mut tables| tables.remove(&self.table));
            match left.filter(|left| !left.keys().is_empty()) {
                None => return Ok(()),
                Some(left) => request = Some(Ok(left)),
            }
            tokio::time::sleep(Duration::from_millis(25 << attempt)).await;
        }
        Err(Error::Unavailable("the table did not answer a batch in time".into()))
    }
}

impl Transaction<'_> {
    /// Remembers that a component has seen a key.
    pub fn seen(
        self,
        owner: &OwnerId,
        deployment: &DeploymentId,
        component: &str,
        key: &str,
        expires: Timestamp,
    ) -> Result<Self, Error> {
        let mut item = keys::seen(owner, deployment, component, key).attributes();
        item.insert("by".into(), text(component));
        Ok(self.put(Part::Other, expiring(item, expires), Condition::none()))
    }
}

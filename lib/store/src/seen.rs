//! Keys that `dedupe` and `changed` have seen, with what is remembered of each and their expiry.

use crate::error::{Error, Part};
use crate::item::{expiring, text};
use crate::keys::{EXPIRES, SORT};
use crate::transaction::{Condition, Transaction};
use crate::{Store, keys};
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::ids::OwnerId;

/// The attribute of what is remembered.
const VALUE: &str = "value";
/// Keys of one batch read, by DynamoDB's limit.
const BATCH: usize = 100;
const BATCH_TRIES: u32 = 8;

impl Store {
    /// What is remembered of some keys of a component, in their order; `None` if it has not seen the key or forgot it.
    pub async fn seen(
        &self,
        owner: &OwnerId,
        deployment: &DeploymentId,
        component: &str,
        wanted: &[String],
        now: Timestamp,
    ) -> Result<Vec<Option<String>>, Error> {
        let sorts: Vec<_> = wanted.iter().map(|key| keys::seen(owner, deployment, component, key)).collect();
        let distinct: Vec<&keys::Key> = sorts.iter().collect::<HashSet<_>>().into_iter().collect();
        let mut found = HashMap::new();
        for batch in distinct.chunks(BATCH) {
            self.seen_batch(batch, now, &mut found).await?;
        }
        Ok(sorts.iter().map(|key| found.get(&key.sort).cloned()).collect())
    }

    async fn seen_batch(
        &self,
        batch: &[&keys::Key],
        now: Timestamp,
        found: &mut HashMap<String, String>,
    ) -> Result<(), Error> {
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
                    // A key that was only seen has no value.
                    let value = item.get(VALUE).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default();
                    found.insert(sort.clone(), value);
                }
            }
            let left = answer.unprocessed_keys.and_then(|mut tables| tables.remove(&self.table));
            match left.filter(|left| !left.keys().is_empty()) {
                None => return Ok(()),
                Some(left) => request = Some(Ok(left)),
            }
            self.jitter.spread(Duration::from_millis(50 << attempt)).await;
        }
        Err(Error::Unavailable("the table did not answer a batch in time".into()))
    }
}

/// A key of a component, and what is to be remembered of it.
pub struct SeenKey<'a> {
    pub component: &'a str,
    pub key: &'a str,
    /// Empty if it only was seen.
    pub value: &'a str,
    pub expires: Timestamp,
}

impl Transaction<'_> {
    /// Remembers a key that a component has seen, in place of what was remembered of it.
    pub fn seen(self, owner: &OwnerId, deployment: &DeploymentId, seen: &SeenKey<'_>) -> Result<Self, Error> {
        let mut item = keys::seen(owner, deployment, seen.component, seen.key).attributes();
        item.insert("by".into(), text(seen.component));
        if !seen.value.is_empty() {
            item.insert(VALUE.into(), text(seen.value));
        }
        Ok(self.put(Part::Other, expiring(item, seen.expires), Condition::none()))
    }
}

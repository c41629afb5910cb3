//! Reads of many items at once, by their keys.

use crate::Store;
use crate::error::Error;
use crate::item::{Item, text_of};
use crate::keys::{PARTITION, SORT};
use aws_sdk_dynamodb::types::KeysAndAttributes;
use std::collections::HashMap;
use std::time::Duration;

/// Keys of one request, by DynamoDB's limit.
const KEYS: usize = 100;
/// Requests for the same keys before the table counts as not answering: each gives up to 16 MB.
const TRIES: u32 = 8;

impl Store {
    /// Reads items by their keys, in the order of the keys; what is not there is left out.
    pub(crate) async fn batch(&self, keys: Vec<Item>) -> Result<Vec<Item>, Error> {
        let mut items = Vec::new();
        for keys in keys.chunks(KEYS) {
            items.extend(self.one_batch(keys.to_vec()).await?);
        }
        Ok(items)
    }

    async fn one_batch(&self, keys: Vec<Item>) -> Result<Vec<Item>, Error> {
        let order: Vec<_> = keys.iter().map(name).collect();
        let mut found: HashMap<(String, String), Item> = HashMap::new();
        let mut wanted = keys;
        for attempt in 1..=TRIES {
            let asked = KeysAndAttributes::builder()
                .set_keys(Some(wanted))
                .consistent_read(true)
                .build()
                .map_err(|e| Error::Refused(e.to_string()))?;
            let answer = self.client.batch_get_item().request_items(&self.table, asked).send().await?;
            for item in answer.responses.and_then(|mut tables| tables.remove(&self.table)).unwrap_or_default() {
                found.insert(name(&item), item);
            }
            let left = answer.unprocessed_keys.and_then(|mut tables| tables.remove(&self.table));
            wanted = left.map(|left| left.keys).unwrap_or_default();
            if wanted.is_empty() {
                return Ok(order.iter().filter_map(|name| found.remove(name)).collect());
            }
            self.jitter.spread(Duration::from_millis(50 << attempt)).await;
        }
        Err(Error::Unavailable("the table did not answer a batch in time".into()))
    }
}

fn name(item: &Item) -> (String, String) {
    (text_of(item, PARTITION), text_of(item, SORT))
}

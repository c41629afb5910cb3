//! Between our types and the table's items.

use crate::error::Error;
use crate::keys::{EXPIRES, Key, PARTITION, RUN_OWNER, SORT};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;

pub type Item = HashMap<String, AttributeValue>;

/// The item of `value` at `key`. What is `None` or empty is left out, which keeps items small.
pub fn to_item(key: &Key, value: &impl Serialize) -> Result<Item, Error> {
    let mut item: Item = serde_dynamo::to_item(value).map_err(|e| Error::Corrupt(e.to_string()))?;
    item.extend(key.attributes());
    Ok(item)
}

/// Attributes that say where an item stands and how long it stays. No record holds them.
const OF_THE_TABLE: [&str; 4] = [PARTITION, SORT, RUN_OWNER, EXPIRES];

/// Reads an item as what it should be. An error names its keys.
pub fn from_item<T: DeserializeOwned>(mut item: Item) -> Result<T, Error> {
    let named = |name: &str| text_of(&item, name);
    let (partition, sort) = (named(PARTITION), named(SORT));
    item.retain(|name, _| !OF_THE_TABLE.contains(&name.as_str()));
    serde_dynamo::from_item(item).map_err(|e| Error::Corrupt(format!("`{partition}` `{sort}`: {e}")))
}

/// Marks an item to be deleted by the table some time after `at`.
pub fn expiring(mut item: Item, at: Timestamp) -> Item {
    item.insert(EXPIRES.to_owned(), AttributeValue::N(at.as_second().to_string()));
    item
}

pub fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A text of an item; empty if it has none of that name.
pub fn text_of(item: &Item, name: &str) -> String {
    item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default()
}

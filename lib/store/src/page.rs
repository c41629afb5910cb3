//! Queries, page by page.

use crate::Store;
use crate::cursor::Cursor;
use crate::error::Error;
use crate::item::{Item, text};
use crate::keys::{Key, PARTITION, SORT};
use aws_sdk_dynamodb::types::AttributeValue;
use serde::de::DeserializeOwned;

/// Most items of one page.
pub const PAGE_LIMIT: usize = 100;

/// Some items, and where the next ones start.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(change).collect(), next: self.next }
    }
}

/// In which order a query gives its items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Ascending,
    Descending,
}

/// Items of one partition whose sort keys lie between two texts, both included.
pub struct Range {
    pub partition: String,
    pub from: String,
    pub to: String,
    pub order: Order,
}

impl Range {
    /// Every sort key that starts with `prefix`.
    pub fn prefix(partition: String, prefix: &str, order: Order) -> Range {
        // DynamoDB refuses an empty text as a bound of a key; U+0000 sorts before everything else.
        let from = if prefix.is_empty() { "\0" } else { prefix };
        // No sort key holds U+10FFFF, which sorts after everything.
        Range { partition, from: from.to_owned(), to: format!("{prefix}\u{10FFFF}"), order }
    }

    /// The key after which a query starts, or `None` when the cursor lies before the range; `Err(())` when nothing of
    /// the range comes after the cursor.
    fn start(&self, cursor: Option<&Cursor>) -> Result<Option<Item>, ()> {
        let Some(Cursor(sort)) = cursor else { return Ok(None) };
        let (first, last) = match self.order {
            Order::Ascending => (sort < &self.from, sort >= &self.to),
            Order::Descending => (sort > &self.to, sort <= &self.from),
        };
        match (first, last) {
            (true, _) => Ok(None),
            (_, true) => Err(()),
            _ => Ok(Some(Key { partition: self.partition.clone(), sort: sort.clone() }.attributes())),
        }
    }
}

impl Store {
    /// One page of a range: at most `limit` items, read as `T`.
    pub(crate) async fn page<T: DeserializeOwned>(
        &self,
        range: Range,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<T>, Error> {
        let Page { items, next } = self.page_of_each(range, cursor, limit).await?;
        Ok(Page { items: items.into_iter().collect::<Result<_, _>>()?, next })
    }

    /// The same, for those who go on when an item cannot be read.
    pub(crate) async fn page_of_each<T: DeserializeOwned>(
        &self,
        range: Range,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<Result<T, Error>>, Error> {
        let Ok(start) = range.start(cursor) else { return Ok(Page { items: Vec::new(), next: None }) };
        let (items, more) = self.query(range, start, Some(limit)).await?;
        let next = match (more, items.last()) {
            (true, Some(last)) => Some(Cursor(sort_of(last)?)),
            _ => None,
        };
        Ok(Page { items: items.into_iter().map(crate::item::from_item).collect(), next })
    }

    /// Every item of a range.
    pub(crate) async fn all(&self, range: Range) -> Result<Vec<Item>, Error> {
        Ok(self.query(range, None, None).await?.0)
    }

    /// The first items of a range.
    pub(crate) async fn some(&self, range: Range, most: usize) -> Result<Vec<Item>, Error> {
        Ok(self.query(range, None, Some(most)).await?.0)
    }

    /// Items of a range up to `limit`, and whether there may be more.
    async fn query(
        &self,
        range: Range,
        mut start: Option<Item>,
        limit: Option<usize>,
    ) -> Result<(Vec<Item>, bool), Error> {
        let mut items: Vec<Item> = Vec::new();
        if range.from > range.to {
            // DynamoDB refuses such a range instead of finding nothing in it.
            return Ok((items, false));
        }
        loop {
            let wanted = limit.map(|limit| (limit - items.len()) as i32);
            let answer = self
                .client
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .key_condition_expression("#pk = :pk AND #sk BETWEEN :from AND :to")
                .expression_attribute_names("#pk", PARTITION)
                .expression_attribute_names("#sk", SORT)
                .expression_attribute_values(":pk", text(&range.partition))
                .expression_attribute_values(":from", text(&range.from))
                .expression_attribute_values(":to", text(&range.to))
                .scan_index_forward(range.order == Order::Ascending)
                .set_exclusive_start_key(start.take())
                .set_limit(wanted)
                .send()
                .await?;
            items.extend(answer.items.unwrap_or_default());
            start = answer.last_evaluated_key;
            let full = limit.is_some_and(|limit| items.len() >= limit);
            if start.is_none() || full {
                return Ok((items, start.is_some()));
            }
        }
    }

    /// Reads what stands at `key`.
    pub(crate) async fn get<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, Error> {
        self.item(key).await?.map(crate::item::from_item).transpose()
    }

    /// Reads the item at `key` as it is.
    pub(crate) async fn item(&self, key: &Key) -> Result<Option<Item>, Error> {
        let request = self.client.get_item().table_name(&self.table).set_key(Some(key.attributes()));
        Ok(request.consistent_read(true).send().await?.item)
    }
}

pub(crate) fn sort_of(item: &Item) -> Result<String, Error> {
    match item.get(SORT) {
        Some(AttributeValue::S(sort)) => Ok(sort.clone()),
        _ => Err(Error::Corrupt("an item has no sort key".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An embedded table may take an empty bound; DynamoDB answers with a `ValidationException`.
    #[test]
    fn a_range_of_everything_has_no_empty_bound() {
        let everything = Range::prefix("p".to_owned(), "", Order::Ascending);

        assert!(!everything.from.is_empty() && everything.from < everything.to);
    }
}

//! Items that have expired, where the table does not delete them itself, as DynamoDB does.

use crate::error::Error;
use crate::item::Item;
use crate::keys::{EXPIRES, PARTITION, SORT};
use crate::{PAGE_LIMIT, Store};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

/// The condition of an item that has expired.
const EXPIRED: &str = "#expires < :now";

impl Store {
    /// Deletes what had expired by `now`, page by page, so that others are answered in between. Gives how many items it was.
    pub async fn delete_expired(&self, now: Timestamp) -> Result<usize, Error> {
        let now = AttributeValue::N(now.as_second().to_string());
        let (mut deleted, mut start) = (0, None::<Item>);
        loop {
            let page = self
                .client
                .scan()
                .table_name(&self.table)
                .set_exclusive_start_key(start)
                .limit(PAGE_LIMIT as i32)
                .projection_expression(format!("{PARTITION}, {SORT}"))
                .filter_expression(EXPIRED)
                .expression_attribute_names("#expires", EXPIRES)
                .expression_attribute_values(":now", now.clone())
                .send()
                .await?;
            for key in page.items.unwrap_or_default() {
                deleted += usize::from(self.delete_if_expired(key, &now).await?);
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(deleted);
            }
        }
    }

    /// Leaves an item that was written anew since it was seen.
    async fn delete_if_expired(&self, key: Item, now: &AttributeValue) -> Result<bool, Error> {
        let deleted = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key))
            .condition_expression(EXPIRED)
            .expression_attribute_names("#expires", EXPIRES)
            .expression_attribute_values(":now", now.clone())
            .send()
            .await;
        match deleted {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }
}

//! The one index: an owner's runs, and what an owner has open. It lags behind the table by a moment.

use crate::Store;
use crate::error::Error;
use crate::item::{Item, text};
use crate::keys::{PARTITION, RUN_OWNER, RUNS_BY_OWNER, SORT};

impl Store {
    /// Keys that the index has under a name between two sort keys, the latest first, and whether there are more.
    pub(crate) async fn index(
        &self,
        name: &str,
        from: &str,
        to: &str,
        limit: usize,
    ) -> Result<(Vec<Item>, bool), Error> {
        if from > to {
            return Ok((Vec::new(), false));
        }
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(RUNS_BY_OWNER)
            .key_condition_expression("#ro = :name AND #sk BETWEEN :from AND :to")
            .expression_attribute_names("#ro", RUN_OWNER)
            .expression_attribute_names("#sk", SORT)
            .expression_attribute_values(":name", text(name))
            .expression_attribute_values(":from", text(from))
            .expression_attribute_values(":to", text(to))
            .scan_index_forward(false)
            .limit(limit as i32)
            .send()
            .await?;
        let more = answer.last_evaluated_key.is_some();
        let keys_only = |mut item: Item| {
            item.retain(|name, _| name == PARTITION || name == SORT);
            item
        };
        Ok((answer.items.unwrap_or_default().into_iter().map(keys_only).collect(), more))
    }
}

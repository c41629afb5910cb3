//! Several changes that happen together or not at all.

use crate::conflict::{Trace, one_try};
use crate::error::{Error, Part};
use crate::item::Item;
use crate::keys::Key;
use crate::update::Update;
use crate::{Store, conflict};
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem,
};
use std::collections::HashMap;

/// Items that one transaction may hold.
pub const TRANSACTION_LIMIT: usize = 100;

/// A transaction in the making. Each entity's file adds the writes that it allows.
#[must_use = "nothing is written before `commit`"]
pub struct Transaction<'a> {
    store: &'a Store,
    writes: Vec<(Part, TransactWriteItem)>,
}

/// What must hold of the item that a put replaces.
#[derive(Clone, Debug, Default)]
pub(crate) struct Condition {
    pub expression: Option<String>,
    pub names: HashMap<String, String>,
    pub values: HashMap<String, AttributeValue>,
}

impl Condition {
    pub fn none() -> Condition {
        Condition::default()
    }

    pub fn absent() -> Condition {
        Condition { expression: Some("attribute_not_exists(pk)".into()), ..Condition::default() }
    }

    pub fn when(expression: impl Into<String>) -> Condition {
        Condition { expression: Some(expression.into()), ..Condition::default() }
    }

    pub fn name(mut self, name: &str, attribute: &str) -> Condition {
        self.names.insert(name.into(), attribute.into());
        self
    }

    pub fn value(mut self, name: &str, value: AttributeValue) -> Condition {
        self.values.insert(name.into(), value);
        self
    }
}

impl Store {
    /// Starts a transaction.
    pub fn transaction(&self) -> Transaction<'_> {
        Transaction { store: self, writes: Vec::new() }
    }

    pub(crate) fn put_of(&self, item: Item, condition: Condition) -> Put {
        Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .set_condition_expression(condition.expression)
            .set_expression_attribute_names((!condition.names.is_empty()).then_some(condition.names))
            .set_expression_attribute_values((!condition.values.is_empty()).then_some(condition.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::None)
            .build()
            .expect("table and item are set")
    }
}

impl<'a> Transaction<'a> {
    pub(crate) fn put(mut self, part: Part, item: Item, condition: Condition) -> Self {
        let put = self.store.put_of(item, condition);
        self.writes.push((part, TransactWriteItem::builder().put(put).build()));
        self
    }

    /// Takes an item away, whether or not it is there.
    pub(crate) fn delete(mut self, part: Part, key: &Key) -> Self {
        let delete = Delete::builder().table_name(&self.store.table).set_key(Some(key.attributes()));
        let delete = delete.build().expect("table and key are set");
        self.writes.push((part, TransactWriteItem::builder().delete(delete).build()));
        self
    }

    /// Writes nothing, but nothing is written unless `condition` holds of the item at `key`.
    pub(crate) fn check(mut self, part: Part, key: &Key, condition: Condition) -> Self {
        let check = ConditionCheck::builder()
            .table_name(&self.store.table)
            .set_key(Some(key.attributes()))
            .set_condition_expression(condition.expression)
            .set_expression_attribute_values((!condition.values.is_empty()).then_some(condition.values))
            .build()
            .expect("table, key and condition are set");
        self.writes.push((part, TransactWriteItem::builder().condition_check(check).build()));
        self
    }

    pub(crate) fn update(mut self, part: Part, update: Update) -> Self {
        let update = update.in_transaction(&self.store.table);
        self.writes.push((part, TransactWriteItem::builder().update(update).build()));
        self
    }

    /// Writes everything, or nothing. A single put goes as one, at half the price.
    ///
    /// # Errors
    /// [`Error::Rejected`] names the parts whose condition did not hold. After [`Error::Unavailable`] it is not known
    /// whether anything was written; every transaction of ours is therefore conditioned so that trying it again does
    /// no harm.
    pub async fn commit(mut self) -> Result<(), Error> {
        if let [(part, TransactWriteItem { put: Some(_), .. })] = self.writes.as_slice() {
            let part = *part;
            let put = self.writes.remove(0).1.put.expect("it was just seen");
            return self.store.put_alone(part, put).await;
        }
        let parts: Vec<Part> = self.writes.iter().map(|(part, _)| *part).collect();
        let items: Vec<_> = self.writes.into_iter().map(|(_, write)| write).collect();
        for tries in 1.. {
            let sent = self.store.client.transact_write_items().set_transact_items(Some(items.clone())).send().await;
            let Err(error) = sent else { return Ok(()) };
            match cancelled(&parts, &error) {
                Some(Cancelled::Conditions(rejected)) => return Err(Error::Rejected(rejected)),
                Some(Cancelled::TooLarge(message)) => return Err(Error::TooLarge(message)),
                Some(Cancelled::Conflict) => self.store.jitter.before_next(tries).await?,
                None => return Err(error.into()),
            }
        }
        unreachable!("the loop ends by returning")
    }
}

enum Cancelled {
    Conditions(Vec<Part>),
    /// An item is larger than the table takes.
    TooLarge(String),
    Conflict,
}

/// Reads why a transaction was cancelled; `None` if it failed for another reason.
fn cancelled(parts: &[Part], error: &SdkError<TransactWriteItemsError>) -> Option<Cancelled> {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() else {
        return None;
    };
    let has = |reason: &CancellationReason, code: &str| reason.code() == Some(code);
    let reasons = cancelled.cancellation_reasons();
    let rejected: Vec<Part> = parts
        .iter()
        .zip(reasons)
        .filter(|(_, reason)| has(reason, "ConditionalCheckFailed"))
        .map(|(part, _)| *part)
        .collect();
    if !rejected.is_empty() {
        return Some(Cancelled::Conditions(rejected));
    }
    let mut invalid = reasons.iter().filter(|reason| has(reason, "ValidationError")).filter_map(|it| it.message());
    if let Some(message) = invalid.find(|message| message.contains("size")) {
        return Some(Cancelled::TooLarge(message.to_owned()));
    }
    let passing = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
    reasons.iter().any(|reason| passing.iter().any(|code| has(reason, code))).then_some(Cancelled::Conflict)
}

impl Store {
    async fn put_alone(&self, part: Part, put: Put) -> Result<(), Error> {
        let request = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(put.item.clone()))
            .set_condition_expression(put.condition_expression)
            .set_expression_attribute_names(put.expression_attribute_names)
            .set_expression_attribute_values(put.expression_attribute_values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let trace = Trace {
            found: |error: &PutItemError| match error {
                PutItemError::ConditionalCheckFailedException(failed) => failed.item.clone(),
                _ => None,
            },
            is_ours: Box::new(move |item| *item == put.item),
        };
        let sent = conflict::alone(&self.jitter, part, trace, || {
            request.clone().customize().config_override(one_try()).send()
        });
        sent.await.map(|_| ())
    }
}

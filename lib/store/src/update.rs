//! Changes of single attributes: what many may do at once, without reading first. And deletes.

use crate::conflict::{Trace, Written, one_try};
use crate::error::{Error, Part};
use crate::item::Item;
use crate::keys::Key;
use crate::transaction::Condition;
use crate::{Store, conflict, item};
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use serde::de::DeserializeOwned;
use std::collections::HashMap;

/// A change of one item's attributes.
#[derive(Clone, Debug)]
pub(crate) struct Update {
    key: Item,
    set: Vec<String>,
    add: Vec<String>,
    remove: Vec<String>,
    delete: Vec<String>,
    /// What the update is recognised by in the table.
    traces: Traces,
    condition: Option<String>,
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

/// What an update leaves in an item. Others change what it only sets, so one of a set's members is recognised by that alone.
#[derive(Clone, Debug, Default)]
struct Traces {
    /// What attributes are set to.
    given: Item,
    member: Option<Member>,
    /// What must still be as the condition asked.
    kept: Item,
}

/// A text that is put into a set, or taken out of it.
#[derive(Clone, Debug)]
struct Member {
    set: String,
    text: String,
    is_in: bool,
}

impl Traces {
    /// Whether an item is one that the update made. An update that only adds leaves nothing to recognise it by.
    fn are_in(&self, item: &Item) -> bool {
        let has = |traces: &Item| traces.iter().all(|(name, value)| item.get(name) == Some(value));
        match &self.member {
            Some(Member { set, text, is_in }) => {
                let texts = item.get(set).and_then(|texts| texts.as_ss().ok());
                has(&self.kept) && texts.is_some_and(|texts| texts.contains(text)) == *is_in
            }
            None => !self.given.is_empty() && has(&self.given),
        }
    }
}

impl Update {
    pub fn of(key: &Key) -> Update {
        Update {
            key: key.attributes(),
            set: Vec::new(),
            add: Vec::new(),
            remove: Vec::new(),
            delete: Vec::new(),
            traces: Traces::default(),
            condition: None,
            names: HashMap::new(),
            values: HashMap::new(),
        }
    }

    /// Gives an attribute a value.
    pub fn set(mut self, attribute: &str, value: AttributeValue) -> Update {
        self.traces.given.insert(attribute.to_owned(), value.clone());
        let (name, value) = self.named(attribute, value);
        self.set.push(format!("{name} = {value}"));
        self
    }

    /// Gives an attribute a value unless it has one.
    pub fn set_once(mut self, attribute: &str, value: AttributeValue) -> Update {
        let (name, value) = self.named(attribute, value);
        self.set.push(format!("{name} = if_not_exists({name}, {value})"));
        self
    }

    /// Adds to a number, which is 0 where it is not there yet.
    pub fn add(mut self, attribute: &str, number: impl ToString) -> Update {
        let (name, value) = self.named(attribute, AttributeValue::N(number.to_string()));
        self.add.push(format!("{name} {value}"));
        self
    }

    /// Adds a text to a set, which is empty where it is not there yet.
    pub fn include(mut self, attribute: &str, one: &str) -> Update {
        let (name, value) = self.named(attribute, AttributeValue::Ss(vec![one.to_owned()]));
        self.add.push(format!("{name} {value}"));
        self.traces.member = Some(Member { set: attribute.to_owned(), text: one.to_owned(), is_in: true });
        self
    }

    /// Takes a text out of a set.
    pub fn exclude(mut self, attribute: &str, one: &str) -> Update {
        let (name, value) = self.named(attribute, AttributeValue::Ss(vec![one.to_owned()]));
        self.delete.push(format!("{name} {value}"));
        self.traces.member = Some(Member { set: attribute.to_owned(), text: one.to_owned(), is_in: false });
        self
    }

    /// Names an attribute that the condition asks for and that the update leaves as it is, to recognise the update by.
    pub fn keeping(mut self, attribute: &str, value: AttributeValue) -> Update {
        self.traces.kept.insert(attribute.to_owned(), value);
        self
    }

    /// Takes an attribute away.
    pub fn remove(mut self, attribute: &str) -> Update {
        let name = format!("#u_{attribute}");
        self.names.insert(name.clone(), attribute.to_owned());
        self.remove.push(name);
        self
    }

    /// Adds to several numbers, whatever their attributes are called.
    pub fn add_all(mut self, sums: &[(String, u64)]) -> Update {
        for (index, (attribute, sum)) in sums.iter().enumerate() {
            let (name, value) = (format!("#a{index}"), format!(":a{index}"));
            self.names.insert(name.clone(), attribute.clone());
            self.values.insert(value.clone(), AttributeValue::N(sum.to_string()));
            self.add.push(format!("{name} {value}"));
        }
        self
    }

    /// Adds to the end of a list, which is empty where it is not there yet.
    pub fn append(mut self, attribute: &str, one: AttributeValue) -> Update {
        let (name, value) = self.named(attribute, AttributeValue::L(vec![one]));
        let empty = ":none".to_owned();
        self.values.insert(empty.clone(), AttributeValue::L(Vec::new()));
        self.set.push(format!("{name} = list_append(if_not_exists({name}, {empty}), {value})"));
        self
    }

    /// What must hold; `#name` and `:name` are those of [`Update::name`] and [`Update::value`].
    pub fn when(mut self, condition: impl Into<String>) -> Update {
        self.condition = Some(condition.into());
        self
    }

    pub fn name(mut self, name: &str, attribute: &str) -> Update {
        self.names.insert(name.to_owned(), attribute.to_owned());
        self
    }

    pub fn value(mut self, name: &str, value: AttributeValue) -> Update {
        self.values.insert(name.to_owned(), value);
        self
    }

    /// Adds the names and values of a condition.
    pub fn extend(&mut self, names: HashMap<String, String>, values: HashMap<String, AttributeValue>) {
        self.names.extend(names);
        self.values.extend(values);
    }

    fn named(&mut self, attribute: &str, value: AttributeValue) -> (String, String) {
        let (name, placeholder) = (format!("#u_{attribute}"), format!(":u_{attribute}"));
        self.names.insert(name.clone(), attribute.to_owned());
        self.values.insert(placeholder.clone(), value);
        (name, placeholder)
    }

    fn expression(&self) -> String {
        let clause = |word: &str, parts: &[String]| match parts {
            [] => String::new(),
            parts => format!("{word} {} ", parts.join(", ")),
        };
        clause("SET", &self.set)
            + &clause("ADD", &self.add)
            + &clause("REMOVE", &self.remove)
            + &clause("DELETE", &self.delete)
    }

    pub(crate) fn in_transaction(self, table: &str) -> aws_sdk_dynamodb::types::Update {
        aws_sdk_dynamodb::types::Update::builder()
            .table_name(table)
            .update_expression(self.expression())
            .set_key(Some(self.key))
            .set_condition_expression(self.condition)
            .set_expression_attribute_names(Some(self.names))
            .set_expression_attribute_values((!self.values.is_empty()).then_some(self.values))
            .build()
            .expect("table, key and expression are set")
    }
}

impl Store {
    /// Changes an item and gives it as it is then.
    ///
    /// # Errors
    /// [`Error::Rejected`] if the condition did not hold.
    pub(crate) async fn update<T: DeserializeOwned>(&self, part: Part, update: Update) -> Result<T, Error> {
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .update_expression(update.expression())
            .set_key(Some(update.key))
            .set_condition_expression(update.condition)
            .set_expression_attribute_names(Some(update.names))
            .set_expression_attribute_values((!update.values.is_empty()).then_some(update.values))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let traces = update.traces;
        let trace = Trace {
            found: |error: &UpdateItemError| match error {
                UpdateItemError::ConditionalCheckFailedException(failed) => failed.item.clone(),
                _ => None,
            },
            is_ours: Box::new(move |item| traces.are_in(item)),
        };
        let sent = conflict::alone(&self.jitter, part, trace, || {
            request.clone().customize().config_override(one_try()).send()
        });
        match sent.await? {
            Written::Answered(answer) => item::from_item(answer.attributes.unwrap_or_default()),
            Written::Before(item) => item::from_item(item),
        }
    }
}

impl Store {
    /// Deletes an item, whether or not it is there.
    pub(crate) async fn delete(&self, key: &Key) -> Result<(), Error> {
        self.delete_when(Part::Other, key, Condition::none()).await
    }

    /// Deletes an item of which a condition holds.
    pub(crate) async fn delete_when(&self, part: Part, key: &Key, condition: Condition) -> Result<(), Error> {
        let request = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key.attributes()))
            .set_condition_expression(condition.expression)
            .set_expression_attribute_values((!condition.values.is_empty()).then_some(condition.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let trace = Trace {
            found: |error: &DeleteItemError| match error {
                DeleteItemError::ConditionalCheckFailedException(failed) => failed.item.clone(),
                _ => None,
            },
            is_ours: Box::new(Item::is_empty),
        };
        let sent = conflict::alone(&self.jitter, part, trace, || {
            request.clone().customize().config_override(one_try()).send()
        });
        sent.await.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::{number, text};
    use crate::keys::Key;

    fn update() -> Update {
        Update::of(&Key { partition: "p".into(), sort: "s".into() })
    }

    fn item(objects: &[&str], epoch: u32) -> Item {
        let objects = AttributeValue::Ss(objects.iter().map(|&id| id.to_owned()).collect());
        Item::from([
            ("objects".to_owned(), objects),
            ("epoch".to_owned(), number(epoch)),
            ("used_at".to_owned(), text("b")),
        ])
    }

    #[test]
    fn an_update_that_only_adds_is_never_taken_for_one_that_happened() {
        assert!(!update().add("log_chunks", 1).traces.are_in(&item(&[], 1)));
        assert!(!update().add("log_chunks", 1).traces.are_in(&Item::new()));
    }

    #[test]
    fn a_member_is_recognised_whatever_others_set_meanwhile() {
        let put_in = update().include("objects", "1").set("used_at", text("a"));
        let taken_out = update().exclude("objects", "1").set("used_at", text("a")).keeping("epoch", number(1));

        assert!(put_in.traces.are_in(&item(&["1", "2"], 1)));
        assert!(!put_in.traces.are_in(&item(&["2"], 1)));
        assert!(taken_out.traces.are_in(&item(&["2"], 1)));
        assert!(!taken_out.traces.are_in(&item(&["1"], 1)));
        assert!(!taken_out.traces.are_in(&item(&["2"], 2)), "the objects of that epoch were given up");
    }

    #[test]
    fn an_update_is_recognised_by_all_that_it_sets() {
        let set = update().set("used_at", text("b")).set("epoch", number(2));

        assert!(set.traces.are_in(&item(&[], 2)));
        assert!(!set.traces.are_in(&item(&[], 1)));
    }
}

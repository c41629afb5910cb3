//! What the table holds, read back after each write, so that what must hold can be checked at every step.

use dynoxide::Database;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use tidemill_local::table;
use tidemill_model::run::Run;
use tidemill_store::keys;

/// Partition and sort key.
pub type Place = (String, String);

/// The items of the table, as plain JSON.
#[derive(Default)]
pub struct Mirror(BTreeMap<Place, Value>);

/// One item before and after a write.
pub struct Change {
    pub place: Place,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

impl Change {
    /// The item's kind: what its sort key begins with.
    pub fn kind(&self) -> &str {
        kind(&self.place)
    }
}

/// What an item's sort key begins with, up to its first `#`.
pub fn kind(place: &Place) -> &str {
    place.1.split_once('#').map_or(&place.1, |(kind, _)| kind)
}

impl Mirror {
    /// Reads some places again, and gives those that changed. A run that a deployment carries is taken for one that has its record.
    pub fn follow(&mut self, database: &Database, places: Vec<Place>) -> Vec<Change> {
        let mut changes = Vec::new();
        for place in places {
            let after = read(database, &place);
            let carried = after.as_ref().and_then(carried).filter(|(place, _)| !self.has(place));
            changes.extend(self.change(place, after));
            changes.extend(carried.and_then(|(place, run)| self.change(place, Some(run))));
        }
        changes
    }

    fn change(&mut self, place: Place, after: Option<Value>) -> Option<Change> {
        let before = match &after {
            Some(item) => self.0.insert(place.clone(), item.clone()),
            None => self.0.remove(&place),
        };
        (before != after).then_some(Change { place, before, after })
    }

    pub fn get<T: DeserializeOwned>(&self, place: &Place) -> Option<T> {
        self.0.get(place).map(parsed)
    }

    pub fn has(&self, place: &Place) -> bool {
        self.0.contains_key(place)
    }

    /// The items of a partition whose sort keys begin so, those of which `wanted` holds.
    pub fn of<T: DeserializeOwned>(&self, partition: &str, prefix: &str, wanted: impl Fn(&Value) -> bool) -> Vec<T> {
        let from = (partition.to_owned(), prefix.to_owned());
        let range = self.0.range(from..).take_while(|((pk, sk), _)| pk == partition && sk.starts_with(prefix));
        range.map(|(_, item)| item).filter(|item| wanted(item)).map(parsed).collect()
    }

    /// All items of a kind.
    pub fn all<T: DeserializeOwned>(&self, kind: &str) -> Vec<T> {
        self.0.iter().filter(|(place, _)| self::kind(place) == kind).map(|(_, item)| parsed(item)).collect()
    }
}

/// The run that a deployment carries, and where its record will be.
fn carried(item: &Value) -> Option<(Place, Value)> {
    let carried = item.get("carried")?;
    let run: Run = parsed(carried);
    let sort = format!("{}{}", keys::RUNS, run.id);
    Some(((keys::deployment_partition(&run.owner, &run.deployment), sort), carried.clone()))
}

/// Reads an item as what it is.
pub fn parsed<T: DeserializeOwned>(item: &Value) -> T {
    T::deserialize(item).unwrap_or_else(|error| panic!("an item of the table cannot be read: {error}: {item}"))
}

fn read(database: &Database, (partition, sort): &Place) -> Option<Value> {
    let key = json!({"pk": {"S": partition}, "sk": {"S": sort}});
    let asked = json!({"TableName": table::TABLE, "Key": key, "ConsistentRead": true});
    let (status, answer) = table::answer(database, "GetItem", asked.to_string().as_bytes());
    assert_eq!(status, 200, "{answer}");
    let mut answer: Value = serde_json::from_str(&answer).expect("the table answers in JSON");
    match answer["Item"].take() {
        Value::Object(item) => Some(Value::Object(plain_fields(item))),
        _ => None,
    }
}

/// An item without the types of its attributes.
pub fn plain_fields(item: Map<String, Value>) -> Map<String, Value> {
    item.into_iter().map(|(name, value)| (name, plain(value))).collect()
}

/// An attribute without its type.
fn plain(attribute: Value) -> Value {
    let Value::Object(typed) = attribute else { return attribute };
    let Some((word, value)) = typed.into_iter().next() else { return Value::Null };
    match (word.as_str(), value) {
        ("N", Value::String(number)) => serde_json::from_str(&number).unwrap_or(Value::Null),
        ("NULL", _) => Value::Null,
        ("M", Value::Object(fields)) => Value::Object(plain_fields(fields)),
        ("L", Value::Array(items)) => Value::Array(items.into_iter().map(plain).collect()),
        (_, value) => value,
    }
}

//! What the components of a task counted, summed over its objects. Objects end side by side and at many places, so each sum
//! is an attribute of the task's record by itself, which the table adds to.

use crate::run::ComponentCounts;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Sums of one record, which one update adds to: those of some fifty components.
///
/// The components of a plan beyond that are not counted. <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
pub const SUMS_LIMIT: usize = 200;

/// What an attribute that holds a sum begins with; its place, its field and its component follow as JSON.
const PREFIX: &str = "sum#";

/// A count of a component, or why it lost values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Field {
    In,
    Out,
    Filtered,
    Failed,
    Dropped,
    Us,
}

/// Which sum an attribute holds: the component's place in the plan, its id, the count, and the reason of a loss.
type Name = (u32, String, Field, String);

/// What the components of a task counted, in the order of its plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ComponentSums(Vec<ComponentCounts>);

impl ComponentSums {
    /// The counts of each component that counted anything.
    pub fn counts(&self) -> &[ComponentCounts] {
        &self.0
    }

    /// The attributes to add to for what one object counted, and how much.
    pub fn of(components: &[ComponentCounts]) -> Vec<(String, u64)> {
        let sums = (0..).zip(components).flat_map(|(place, counts)| sums(place, counts));
        sums.filter(|(_, sum)| *sum > 0).map(|(name, sum)| (attribute(&name), sum)).take(SUMS_LIMIT).collect()
    }
}

fn sums(place: u32, counts: &ComponentCounts) -> Vec<(Name, u64)> {
    let name = |field: Field, reason: &str| (place, counts.id.clone(), field, reason.to_owned());
    let mut sums = vec![
        (name(Field::In, ""), counts.taken),
        (name(Field::Out, ""), counts.given),
        (name(Field::Filtered, ""), counts.filtered),
        (name(Field::Failed, ""), counts.failed),
        (name(Field::Us, ""), counts.micros),
    ];
    sums.extend(counts.dropped.iter().map(|(reason, count)| (name(Field::Dropped, reason), *count)));
    sums
}

fn attribute(name: &Name) -> String {
    PREFIX.to_owned() + &serde_json::to_string(name).expect("texts and numbers are JSON")
}

impl Serialize for ComponentSums {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (attribute, sum) in ComponentSums::of(&self.0) {
            map.serialize_entry(&attribute, &sum)?;
        }
        map.end()
    }
}

/// Reads the sums among all attributes of a record.
impl<'de> Deserialize<'de> for ComponentSums {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ComponentSums, D::Error> {
        struct Attributes;

        impl<'de> Visitor<'de> for Attributes {
            type Value = ComponentSums;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("attributes")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ComponentSums, A::Error> {
                let mut found: BTreeMap<Name, u64> = BTreeMap::new();
                while let Some(attribute) = map.next_key::<String>()? {
                    let name = attribute.strip_prefix(PREFIX).and_then(|name| serde_json::from_str(name).ok());
                    match name {
                        Some(name) => _ = found.insert(name, map.next_value::<Sum>()?.0),
                        None => _ = map.next_value::<IgnoredAny>()?,
                    }
                }
                Ok(ComponentSums(joined(found)))
            }
        }

        deserializer.deserialize_map(Attributes)
    }
}

#[derive(Deserialize)]
struct Sum(#[serde(deserialize_with = "super::saturating")] u64);

/// The sums of each component together. One that a restart moved to another place is where it was first.
fn joined(sums: BTreeMap<Name, u64>) -> Vec<ComponentCounts> {
    let mut components: Vec<ComponentCounts> = Vec::new();
    for ((_, id, field, reason), sum) in sums {
        let at = components.iter().position(|counts| counts.id == id).unwrap_or_else(|| {
            components.push(ComponentCounts::of(&id));
            components.len() - 1
        });
        let counts = &mut components[at];
        let count = match field {
            Field::In => &mut counts.taken,
            Field::Out => &mut counts.given,
            Field::Filtered => &mut counts.filtered,
            Field::Failed => &mut counts.failed,
            Field::Us => &mut counts.micros,
            Field::Dropped => counts.dropped.entry(reason).or_default(),
        };
        *count = count.saturating_add(sum);
    }
    components
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Map, Value, json};

    fn counts(id: &str) -> ComponentCounts {
        let mut counts = ComponentCounts { taken: 5, given: 2, micros: 7, ..ComponentCounts::of(id) };
        counts.drop_value("no \"key\"");
        counts
    }

    #[test]
    fn sums_are_read_among_other_attributes_in_the_order_of_the_plan() {
        let components = vec![counts("z"), counts("a \"b\"")];
        let mut record: Map<String, Value> =
            ComponentSums::of(&components).into_iter().map(|(name, sum)| (name, sum.into())).collect();
        record.insert("state".to_owned(), json!("open"));
        record.insert("errors".to_owned(), json!(["x"]));
        // A restart moved it to another place.
        record.insert("sum#[7,\"z\",\"in\",\"\"]".to_owned(), json!(3.0));

        let read: ComponentSums = serde_json::from_value(record.into()).unwrap();

        let moved = ComponentCounts { taken: 8, ..counts("z") };
        assert_eq!(read.counts(), [moved, counts("a \"b\"")]);
        assert_eq!(serde_json::from_value::<ComponentSums>(serde_json::to_value(&read).unwrap()).unwrap(), read);
    }

    #[test]
    fn an_object_adds_to_a_bounded_number_of_sums_and_to_none_of_what_it_did_not_count() {
        let many: Vec<ComponentCounts> = (0..1_000).map(|number| counts(&number.to_string())).collect();

        assert_eq!(ComponentSums::of(&many).len(), SUMS_LIMIT);
        assert_eq!(ComponentSums::of(&[ComponentCounts::of("a")]), []);
    }
}

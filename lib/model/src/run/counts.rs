//! What the components of a run counted: which values came, which went on, and why the others did not.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Reasons of one component that are counted apart; values with further ones count under [`OTHER_REASONS`].
pub const REASONS: usize = 8;
/// Characters of a reason.
pub const REASON_LENGTH: usize = 100;
/// What further reasons count under.
pub const OTHER_REASONS: &str = "other reasons";

/// What one component counted, over all steps of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentCounts {
    /// The component's id.
    pub id: String,
    /// Values that came to it; none come to the source.
    #[serde(rename = "in", default, skip_serializing_if = "is_zero")]
    pub taken: u64,
    /// Values that it gave on, each once however many components take it.
    #[serde(rename = "out", default, skip_serializing_if = "is_zero")]
    pub given: u64,
    /// Values that it stopped because its config says so.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub filtered: u64,
    /// Values at which an attempt ended.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failed: u64,
    /// Values that were lost, by reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dropped: BTreeMap<String, u64>,
    /// Microseconds that it worked or waited.
    #[serde(rename = "us", default, skip_serializing_if = "is_zero")]
    pub micros: u64,
}

impl ComponentCounts {
    /// The counts of a component that has not worked yet.
    pub fn of(id: &str) -> ComponentCounts {
        ComponentCounts { id: id.to_owned(), ..ComponentCounts::default() }
    }

    /// Counts a value that was lost. The reason is a text of the program, so that it never holds data of an object.
    pub fn drop_value(&mut self, reason: &'static str) {
        let reason = &reason[..reason.floor_char_boundary(REASON_LENGTH)];
        let is_known = self.dropped.contains_key(reason) || self.dropped.len() < REASONS - 1;
        *self.dropped.entry(if is_known { reason } else { OTHER_REASONS }.to_owned()).or_default() += 1;
    }

    /// Values that were lost, for whatever reason.
    pub fn dropped(&self) -> u64 {
        self.dropped.values().sum()
    }
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_counts_eight_reasons_and_each_value_once() {
        let mut counts = ComponentCounts::of("a");
        for reason in ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "1", "9"] {
            counts.drop_value(reason);
        }

        assert_eq!((counts.dropped.len(), counts.dropped()), (REASONS, 12));
        assert_eq!((counts.dropped["1"], counts.dropped[OTHER_REASONS]), (2, 4));
    }

    #[test]
    fn counts_survive_being_written_and_zeros_take_no_room() {
        let mut counts = ComponentCounts { taken: 5, given: 2, micros: 7, ..ComponentCounts::of("a") };
        counts.drop_value("no key");

        let text = serde_json::to_string(&counts).unwrap();

        assert_eq!(text, r#"{"id":"a","in":5,"out":2,"dropped":{"no key":1},"us":7}"#);
        assert_eq!(serde_json::from_str::<ComponentCounts>(&text).unwrap(), counts);
    }
}

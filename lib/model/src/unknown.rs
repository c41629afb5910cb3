//! What a newer version wrote into a record.

use serde::{Deserialize, Serialize};
use serde_content::Value;
use std::collections::BTreeMap;

/// The attributes of a record that this version does not know, kept so that writing the record back drops none of them.
///
/// A record that is written as a whole holds one, flattened. Texts, whole numbers of 64 bits, fractions, booleans, bytes,
/// lists and maps come back as they were; a set would come back as a list, so no version writes one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Unknown(BTreeMap<String, Value<'static>>);

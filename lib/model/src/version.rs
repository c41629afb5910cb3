//! Immutable, numbered snapshots of a deployment's pipeline and plan.

use crate::git::Git;
use crate::ids::{KeyId, OwnerId, ProjectId, RolloutId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// One version. It never changes and is never deleted, also not when the deployment is removed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// Who owns it.
    pub owner: OwnerId,
    /// The project that it is a version of.
    pub project: ProjectId,
    /// 1, 2, 3, … without a gap.
    pub number: u32,
    /// What the pipeline calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Of the pipeline's text as it was sent.
    pub sha256: String,
    /// Names the stored plan.
    pub plan_sha256: String,
    /// Of the pipeline's text, in bytes.
    pub bytes: u64,
    /// How many components the pipeline has.
    pub components: u32,
    /// When it was registered.
    pub created_at: Timestamp,
    /// The key that made it.
    pub created_by: KeyId,
    /// What its maker says of it, up to 512 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The rollout that made it, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<RolloutId>,
    /// The commit that it was made from, as far as the rollout said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<Git>,
}

/// The lower-case hexadecimal sha256 of some bytes.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes every write");
        text
    })
}

/// What the wires and the table have for the version of what has none.
pub const NO_VERSION: u32 = 0;

/// How a record has the version of what may have none: [`NO_VERSION`] stands for `None`, as in every record so far.
pub(crate) mod number_or_none {
    use super::NO_VERSION;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(version: &Option<u32>, serializer: S) -> Result<S::Ok, S::Error> {
        version.unwrap_or(NO_VERSION).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
        let number = Option::<u32>::deserialize(deserializer)?;
        Ok(number.filter(|number| *number != NO_VERSION))
    }
}

#[cfg(test)]
mod tests {
    use super::number_or_none;
    use serde::{Deserialize, Serialize};
    use serde_json::json;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Record {
        #[serde(default, with = "number_or_none")]
        version: Option<u32>,
    }

    #[test]
    fn a_record_without_a_version_has_0_for_it_as_older_functions_read_and_write() {
        let without = Record { version: None };

        assert_eq!(serde_json::to_value(&without).unwrap(), json!({"version": 0}));
        for older in [json!({"version": 0}), json!({})] {
            assert_eq!(serde_json::from_value::<Record>(older).unwrap(), without);
        }
    }

    #[test]
    fn a_record_with_a_version_has_its_number() {
        let third = Record { version: Some(3) };

        assert_eq!(serde_json::to_value(&third).unwrap(), json!({"version": 3}));
        assert_eq!(serde_json::from_value::<Record>(json!({"version": 3})).unwrap(), third);
    }
}

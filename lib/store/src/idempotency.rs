//! Answers to requests that carried an idempotency key.

use crate::error::{Error, Part};
use crate::item::{expiring, to_item};
use crate::transaction::{Condition, Transaction};
use crate::{Store, keys};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tidemill_model::ids::OwnerId;

/// How long an idempotency key is remembered.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);

/// What the first request with a key was, and what it was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    pub owner: OwnerId,
    pub operation: String,
    /// The sha256 of the key that the client chose.
    pub key_sha256: String,
    /// The sha256 of the request.
    pub request_sha256: String,
    /// The answer, as JSON text.
    pub answer: String,
    pub at: Timestamp,
}

impl Answered {
    /// As long as the condition of [`Transaction::answered`] refuses its key, to the second.
    fn is_remembered(&self, now: Timestamp) -> bool {
        now.as_second() <= (self.at + REMEMBERED).as_second()
    }
}

impl Store {
    /// What was answered to a key in the last 24 hours.
    pub async fn answered(
        &self,
        owner: &OwnerId,
        operation: &str,
        key_sha256: &str,
        now: Timestamp,
    ) -> Result<Option<Answered>, Error> {
        let found: Option<Answered> = self.get(&keys::idempotency(owner, operation, key_sha256)).await?;
        Ok(found.filter(|answered| answered.is_remembered(now)))
    }
}

impl Transaction<'_> {
    /// Remembers an answer, unless the key was used in the last 24 hours.
    pub fn answered(self, answered: &Answered) -> Result<Self, Error> {
        let key = keys::idempotency(&answered.owner, &answered.operation, &answered.key_sha256);
        let item = expiring(to_item(&key, answered)?, answered.at + REMEMBERED);
        // The table deletes expired items late, so a stale one is replaced.
        let unused = Condition::when("attribute_not_exists(pk) OR expires < :now")
            .value(":now", crate::item::number(answered.at.as_second()));
        Ok(self.put(Part::Idempotency, item, unused))
    }
}

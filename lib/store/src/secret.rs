//! Secrets, which reach the table encrypted.

use crate::error::{Error, Part};
use crate::item::to_item;
use crate::page::{Order, Page, Range};
use crate::transaction::{Condition, Transaction};
use crate::{Cursor, Store, keys};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tidemill_model::ids::{OwnerId, SecretName};

/// A secret as the table holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSecret {
    pub owner: OwnerId,
    pub name: SecretName,
    /// The value as the plane's cipher made it, in base 64.
    pub sealed: String,
    pub updated_at: Timestamp,
    /// Its value is too short to be masked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_short: bool,
}

impl Store {
    pub async fn secret(&self, owner: &OwnerId, name: &SecretName) -> Result<Option<StoredSecret>, Error> {
        self.get(&keys::secret(owner, name)).await
    }

    /// A page of an owner's secrets by name.
    pub async fn secrets(
        &self,
        owner: &OwnerId,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<StoredSecret>, Error> {
        let range = Range::prefix(keys::owner_partition(owner), keys::SECRETS, Order::Ascending);
        self.page(range, cursor, limit).await
    }

    /// Deletes a secret and says whether there was one.
    pub async fn remove_secret(&self, owner: &OwnerId, name: &SecretName) -> Result<bool, Error> {
        let is_there = Condition::when("attribute_exists(pk)");
        match self.delete_when(Part::Other, &keys::secret(owner, name), is_there).await {
            Ok(()) => Ok(true),
            Err(error) if error.rejects(Part::Other) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Transaction<'_> {
    /// Sets a secret, whether or not it was set before.
    pub fn secret(self, secret: &StoredSecret) -> Result<Self, Error> {
        let item = to_item(&keys::secret(&secret.owner, &secret.name), secret)?;
        Ok(self.put(Part::Other, item, Condition::none()))
    }
}

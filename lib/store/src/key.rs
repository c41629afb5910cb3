//! Keys, each stored twice: where a request finds it by its hash and where its owner lists it. Both change together.

use crate::error::{Error, Part};
use crate::item::{text, to_item};
use crate::page::{Order, Page, Range};
use crate::transaction::{Condition, Transaction};
use crate::{Cursor, Store, keys};
use serde::Serialize;
use tidemill_model::ids::{KeyId, OwnerId};
use tidemill_model::key::Key;

#[derive(Serialize)]
struct Owner<'a> {
    owner: &'a OwnerId,
}

impl Store {
    /// Finds a key by the hash of its text.
    pub async fn key_by_hash(&self, hash: &str) -> Result<Option<Key>, Error> {
        self.get(&keys::key_by_hash(hash)).await
    }

    pub async fn key(&self, owner: &OwnerId, id: &KeyId) -> Result<Option<Key>, Error> {
        self.get(&keys::key(owner, id)).await
    }

    /// A page of an owner's keys, oldest first.
    pub async fn keys(&self, owner: &OwnerId, cursor: Option<&Cursor>, limit: usize) -> Result<Page<Key>, Error> {
        let range = Range::prefix(keys::owner_partition(owner), keys::KEYS, Order::Ascending);
        self.page(range, cursor, limit).await
    }

    /// Every owner that ever had a key.
    pub async fn owners(&self) -> Result<Vec<OwnerId>, Error> {
        self.each_owner(None).await?.into_iter().collect()
    }

    /// The same from one owner on, who is left out, for those who go on when one cannot be read.
    pub async fn each_owner(&self, after: Option<&OwnerId>) -> Result<Vec<Result<OwnerId, Error>>, Error> {
        let mut range = Range::prefix(keys::OWNERS.to_owned(), "", Order::Ascending);
        if let Some(after) = after {
            range.from = format!("{after}\0");
        }
        let items = self.all(range).await?;
        let owner = |item| {
            let mut fields: std::collections::HashMap<String, OwnerId> = crate::item::from_item(item)?;
            fields.remove("owner").ok_or_else(|| Error::Corrupt("an owner has no name".into()))
        };
        let owners = items.into_iter().map(|mut item| {
            item.retain(|name, _| name == "owner");
            owner(item)
        });
        Ok(owners.collect())
    }
}

impl Transaction<'_> {
    /// Adds a key, and its owner where it is the first one.
    pub fn new_key(self, key: &Key) -> Result<Self, Error> {
        let owner = to_item(&keys::owner(&key.owner), &Owner { owner: &key.owner })?;
        let transaction = self.put(Part::Other, owner, Condition::none());
        transaction.both(key, Condition::absent)
    }

    /// Replaces a key that has not been revoked in between.
    pub fn key(self, key: &Key) -> Result<Self, Error> {
        let id = key.id.clone();
        self.both(key, || {
            Condition::when("id = :id AND attribute_not_exists(revoked_at)").value(":id", text(id.as_str()))
        })
    }

    fn both(self, key: &Key, condition: impl Fn() -> Condition) -> Result<Self, Error> {
        let by_hash = to_item(&keys::key_by_hash(&key.hash), key)?;
        let by_id = to_item(&keys::key(&key.owner, &key.id), key)?;
        Ok(self.put(Part::Key, by_hash, condition()).put(Part::Key, by_id, condition()))
    }
}

//! Revokes a key at once. What was deployed with it is errored at its next tick.

use crate::answer::KeyAnswer;
use crate::error::{Code, Error};
use crate::hint::Noun;
use crate::plane::{Call, Plane};
use jiff::Timestamp;
use serde::Deserialize;
use tidemill_model::ids::{KeyId, OwnerId};
use tidemill_model::key::{Key, Scope};
use tidemill_store::{Part, Store};

/// How often a revocation that met another write of the key tries again.
const TRIES: usize = 10;

pub struct Revoke;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    pub id: KeyId,
}

impl crate::Operation for Revoke {
    const NAME: &'static str = "key_revoke";
    const SCOPE: Option<Scope> = Some(Scope::Admin);
    type Input = Input;
    type Output = KeyAnswer;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<KeyAnswer, Error> {
        let key = revoke(&plane.store, &call.owner, &input.id, call.now).await?;
        Ok(KeyAnswer::of(key, call.now))
    }
}

/// Revokes a key of an owner; one that is revoked already stays so.
pub async fn revoke(store: &Store, owner: &OwnerId, id: &KeyId, now: Timestamp) -> Result<Key, Error> {
    for _ in 0..TRIES {
        let found = store.key(owner, id).await?.ok_or_else(|| Error::not_found(Noun::Key, id))?;
        if found.revoked_at.is_some() {
            return Ok(found);
        }
        let revoked = Key { revoked_at: Some(now), ..found };
        match store.transaction().key(&revoked)?.commit().await {
            Ok(()) => return Ok(revoked),
            Err(error) if error.rejects(Part::Key) => continue,
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::new(Code::Unavailable, "the key kept changing while it was to be revoked").hint("try again"))
}

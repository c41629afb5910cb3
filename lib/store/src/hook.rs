//! Whose hook a hook is.

use crate::error::{Error, Part};
use crate::item::to_item;
use crate::transaction::{Condition, Transaction};
use crate::{Store, keys};
use serde::{Deserialize, Serialize};
use tidemill_model::ids::{HookId, OwnerId, ProjectId};

/// The project that a hook leads to. It never leads to a version, so its URL never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    pub id: HookId,
    pub owner: OwnerId,
    pub project: ProjectId,
}

impl Store {
    pub async fn hook(&self, id: &HookId) -> Result<Option<Hook>, Error> {
        self.get(&keys::hook(id)).await
    }
}

impl Transaction<'_> {
    pub fn new_hook(self, hook: &Hook) -> Result<Self, Error> {
        let item = to_item(&keys::hook(&hook.id), hook)?;
        Ok(self.put(Part::Hook, item, Condition::absent()))
    }
}

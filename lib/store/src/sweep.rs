//! Where a sweep stopped that could not reach every owner. It decides nothing: two sweeps may write it, and an owner that
//! one leaves out is reached by the next but one.

use crate::error::{Error, Part};
use crate::item::to_item;
use crate::transaction::Condition;
use crate::{Store, keys};
use serde::{Deserialize, Serialize};
use tidemill_model::ids::OwnerId;

#[derive(Serialize, Deserialize)]
struct Cursor {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<OwnerId>,
}

impl Store {
    /// The last owner that the sweep before reached, if it did not reach all.
    pub async fn sweep_cursor(&self) -> Result<Option<OwnerId>, Error> {
        let cursor: Option<Cursor> = self.get(&keys::sweep()).await?;
        Ok(cursor.and_then(|cursor| cursor.after))
    }

    /// Notes after which owner the next sweep goes on; `None` is at the first one.
    pub async fn note_sweep_cursor(&self, after: Option<&OwnerId>) -> Result<(), Error> {
        let item = to_item(&keys::sweep(), &Cursor { after: after.cloned() })?;
        self.transaction().put(Part::Other, item, Condition::none()).commit().await
    }
}

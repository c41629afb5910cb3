//! That something of an owner's changed, for those who watch: written in the transaction of the change, and forgotten
//! soon after. What the change was stands in the audit rows.

use crate::error::{Error, Part};
use crate::item::{expiring, to_item};
use crate::page::{Order, Range};
use crate::transaction::{Condition, Transaction};
use crate::{Store, keys};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tidemill_model::audit::Operation;
use tidemill_model::ids::{EnvironmentName, OwnerId, ProjectId, RunId};

/// How long it can be read.
const KEPT: SignedDuration = SignedDuration::from_mins(10);

/// One change of an environment, or of a project's versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Sorts by time.
    pub id: RunId,
    pub project: ProjectId,
    /// `None` for a new version, which is live nowhere yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<EnvironmentName>,
    pub operation: Operation,
    /// An earlier version than before is live now.
    #[serde(default)]
    pub went_back: bool,
}

impl Store {
    /// The first notices of an owner since an instant, in the order of their time.
    pub async fn notices(&self, owner: &OwnerId, since: Timestamp, most: usize) -> Result<Vec<Notice>, Error> {
        let mut range = Range::prefix(keys::owner_partition(owner), keys::NOTICES, Order::Ascending);
        range.from = keys::notice(owner, RunId::new(since, 0).as_str()).sort;
        self.some(range, most).await?.into_iter().map(crate::item::from_item).collect()
    }
}

impl Transaction<'_> {
    pub fn notice(self, owner: &OwnerId, notice: &Notice, at: Timestamp) -> Result<Self, Error> {
        let item = to_item(&keys::notice(owner, notice.id.as_str()), notice)?;
        Ok(self.put(Part::Other, expiring(item, at + KEPT), Condition::none()))
    }
}

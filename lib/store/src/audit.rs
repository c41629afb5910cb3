//! Who changed what: appended in the transaction of the change, never altered.

use crate::error::{Error, Part};
use crate::item::to_item;
use crate::page::{Order, Page, Range};
use crate::transaction::{Condition, Transaction};
use crate::{Cursor, Store, keys};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tidemill_model::audit::Operation;
use tidemill_model::deployment::Status;
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::ids::{KeyId, OwnerId, RunId};
use tidemill_model::schedule::Schedule;

/// One change of a deployment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Audit {
    /// Sorts by time.
    pub id: RunId,
    pub owner: OwnerId,
    #[serde(rename = "project")]
    pub deployment: DeploymentId,
    pub operation: Operation,
    /// The key that asked; `None` when the plane did it by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyId>,
    pub at: Timestamp,
    /// What held afterwards: from then on, ticks were decided by it.
    pub state: Status,
    pub schedule: Schedule,
    pub version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Store {
    /// A page of a project's changes, newest first; with `until`, those up to that instant.
    pub async fn audits(
        &self,
        owner: &OwnerId,
        deployment: &DeploymentId,
        until: Option<Timestamp>,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<Audit>, Error> {
        let mut range = Range::prefix(keys::deployment_partition(owner, deployment), keys::AUDIT, Order::Descending);
        if let Some(until) = until {
            range.to = format!("{}{}", keys::AUDIT, RunId::new(until, u128::MAX));
        }
        self.page(range, cursor, limit).await
    }
}

impl Transaction<'_> {
    pub fn audit(self, audit: &Audit) -> Result<Self, Error> {
        let item = to_item(&keys::audit(&audit.owner, &audit.deployment, audit.id.as_str()), audit)?;
        Ok(self.put(Part::Audit, item, Condition::absent()))
    }
}

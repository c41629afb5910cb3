//! Versions: written once, never changed, never deleted.

use crate::cursor::Cursor;
use crate::error::{Error, Part};
use crate::item::to_item;
use crate::page::{Order, Page, Range};
use crate::transaction::{Condition, Transaction};
use crate::{Store, keys};
use tidemill_model::ids::{OwnerId, ProjectId};
use tidemill_model::version::Version;

impl Store {
    pub async fn version(&self, owner: &OwnerId, project: &ProjectId, number: u32) -> Result<Option<Version>, Error> {
        self.get(&keys::version(owner, project, number)).await
    }

    /// Reads one version of each of some projects, in their order; what is not there is left out.
    pub async fn versions_of(&self, owner: &OwnerId, wanted: &[(ProjectId, u32)]) -> Result<Vec<Version>, Error> {
        let keys = wanted.iter().map(|(project, number)| keys::version(owner, project, *number).attributes());
        let items = self.batch(keys.collect()).await?;
        items.into_iter().map(crate::item::from_item).collect()
    }

    /// A page of a project's versions, newest first.
    pub async fn versions(
        &self,
        owner: &OwnerId,
        project: &ProjectId,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<Version>, Error> {
        let range = Range::prefix(keys::project_partition(owner, project), keys::VERSIONS, Order::Descending);
        self.page(range, cursor, limit).await
    }
}

impl Transaction<'_> {
    pub fn new_version(self, version: &Version) -> Result<Self, Error> {
        let item = to_item(&keys::version(&version.owner, &version.project, version.number), version)?;
        Ok(self.put(Part::Version, item, Condition::absent()))
    }
}

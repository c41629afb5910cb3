//! Deployments and their tombstones.

use crate::cursor::Cursor;
use crate::error::{Error, Part};
use crate::item::{number, to_item};
use crate::page::{Order, Page, Range};
use crate::transaction::{Condition, Transaction};
use crate::{Store, keys};
use tidemill_model::deployment::Deployment;
use tidemill_model::deployment_id::DeploymentId;
use tidemill_model::ids::{EnvironmentName, OwnerId, ProjectId};

impl Store {
    /// Reads a deployment, a removed one too.
    pub async fn deployment(&self, owner: &OwnerId, id: &DeploymentId) -> Result<Option<Deployment>, Error> {
        self.get(&keys::deployment(owner, id)).await
    }

    /// The deployments of a project's sources in an environment, tombstones too.
    pub async fn sources_of_environment(
        &self,
        owner: &OwnerId,
        project: &ProjectId,
        environment: &EnvironmentName,
    ) -> Result<Vec<Deployment>, Error> {
        let prefix = keys::sources_of_environment(project, environment);
        let range = Range::prefix(keys::owner_partition(owner), &prefix, Order::Ascending);
        self.all(range).await?.into_iter().map(crate::item::from_item).collect()
    }

    /// The first deployments of a project's sources in all of its environments, tombstones too.
    pub async fn sources_of_project(
        &self,
        owner: &OwnerId,
        project: &ProjectId,
        most: usize,
    ) -> Result<Vec<Deployment>, Error> {
        let prefix = keys::sources_of_project(project);
        let range = Range::prefix(keys::owner_partition(owner), &prefix, Order::Ascending);
        self.some(range, most).await?.into_iter().map(crate::item::from_item).collect()
    }

    /// Reads the deployments of some projects, tombstones too; absent ones are left out.
    pub async fn deployments_of(&self, owner: &OwnerId, projects: &[ProjectId]) -> Result<Vec<Deployment>, Error> {
        let keys = projects.iter().map(|project| keys::deployment(owner, &project.into()).attributes());
        let items = self.batch(keys.collect()).await?;
        items.into_iter().map(crate::item::from_item).collect()
    }

    /// A page of an owner's deployments by project, tombstones and environments' sources too.
    pub async fn deployments(
        &self,
        owner: &OwnerId,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<Deployment>, Error> {
        self.page(deployments(owner), cursor, limit).await
    }

    /// The same, for those who go on when a record cannot be read.
    pub async fn each_deployment(
        &self,
        owner: &OwnerId,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<Result<Deployment, Error>>, Error> {
        self.page_of_each(deployments(owner), cursor, limit).await
    }
}

fn deployments(owner: &OwnerId) -> Range {
    Range::prefix(keys::owner_partition(owner), keys::DEPLOYMENTS, Order::Ascending)
}

impl Transaction<'_> {
    /// Writes a deployment that did not exist, not even as a tombstone.
    pub fn new_deployment(self, deployment: &Deployment) -> Result<Self, Error> {
        let item = to_item(&keys::deployment(&deployment.owner, &deployment.id), deployment)?;
        Ok(self.put(Part::Deployment, item, Condition::absent()))
    }

    /// Replaces the deployment that was read at `revision`, unless it has moved on since. The written one must have a
    /// later revision.
    pub fn deployment(self, deployment: &Deployment, revision: u64) -> Result<Self, Error> {
        debug_assert!(deployment.revision > revision, "a change must move the revision");
        let item = to_item(&keys::deployment(&deployment.owner, &deployment.id), deployment)?;
        let unchanged = Condition::when("revision = :revision").value(":revision", number(revision));
        Ok(self.put(Part::Deployment, item, unchanged))
    }
}

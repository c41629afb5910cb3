//! Environments, and who changed them how.

use crate::cursor::Cursor;
use crate::error::{Error, Part};
use crate::item::{number, to_item};
use crate::notice::Notice;
use crate::page::{Order, Page, Range};
use crate::transaction::{Condition, Transaction};
use crate::{Store, keys};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tidemill_model::audit::Operation;
use tidemill_model::environment::Environment;
use tidemill_model::ids::{EnvironmentName, KeyId, OwnerId, ProjectId, RunId};

/// One change of an environment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnvironmentAudit {
    /// Sorts by time.
    pub id: RunId,
    pub owner: OwnerId,
    pub project: ProjectId,
    pub environment: EnvironmentName,
    pub operation: Operation,
    /// The source that was changed or run, if it was only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The key that asked.
    pub key: KeyId,
    pub at: Timestamp,
    /// What was live before, and what was live then.
    pub from_version: u32,
    pub version: u32,
    /// The environment's, after the change.
    pub revision: u64,
}

impl Store {
    /// Reads an environment, a removed one too.
    pub async fn environment(
        &self,
        owner: &OwnerId,
        project: &ProjectId,
        name: &EnvironmentName,
    ) -> Result<Option<Environment>, Error> {
        self.get(&keys::environment(owner, project, name)).await
    }

    /// A page of an owner's environments by name and project, removed ones too: all, or those of one name.
    pub async fn environments(
        &self,
        owner: &OwnerId,
        name: Option<&EnvironmentName>,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<Environment>, Error> {
        let prefix = name.map_or_else(|| keys::ENVIRONMENTS.to_owned(), keys::environments);
        let range = Range::prefix(keys::owner_partition(owner), &prefix, Order::Ascending);
        self.page(range, cursor, limit).await
    }

    /// The names of an owner's environments: one read for each, however many projects they have.
    pub async fn environment_names(&self, owner: &OwnerId) -> Result<Vec<EnvironmentName>, Error> {
        let mut names: Vec<EnvironmentName> = Vec::new();
        loop {
            let mut range = Range::prefix(keys::owner_partition(owner), keys::ENVIRONMENTS, Order::Ascending);
            if let Some(last) = names.last() {
                range.from = Range::prefix(String::new(), &keys::environments(last), Order::Ascending).to;
            }
            let Some(item) = self.some(range, 1).await?.into_iter().next() else { return Ok(names) };
            let first: Environment = crate::item::from_item(item)?;
            names.push(first.name);
        }
    }

    /// A page of the changes of a project's environments, newest first.
    pub async fn environment_audits(
        &self,
        owner: &OwnerId,
        project: &ProjectId,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<EnvironmentAudit>, Error> {
        let partition = keys::project_partition(owner, project);
        self.page(Range::prefix(partition, keys::ENVIRONMENT_AUDIT, Order::Descending), cursor, limit).await
    }
}

impl Transaction<'_> {
    /// Writes an environment over the one that was read at `revision`, 0 if there was none, unless it has moved on
    /// since. The written one must have a later revision.
    pub fn environment(self, environment: &Environment, revision: u64) -> Result<Self, Error> {
        debug_assert!(environment.revision > revision, "a change must move the revision");
        let item =
            to_item(&keys::environment(&environment.owner, &environment.project, &environment.name), environment)?;
        let condition = match revision {
            0 => Condition::absent(),
            _ => at_revision(revision),
        };
        Ok(self.put(Part::Environment, item, condition))
    }

    /// Makes everything depend on an environment being as it was read.
    pub fn environment_is_still(self, environment: &Environment) -> Self {
        let key = keys::environment(&environment.owner, &environment.project, &environment.name);
        self.check(Part::Environment, &key, at_revision(environment.revision))
    }

    /// Writes down what was changed, and says to those who watch that something was.
    pub fn environment_audit(self, audit: &EnvironmentAudit) -> Result<Self, Error> {
        let item = to_item(&keys::environment_audit(&audit.owner, &audit.project, audit.id.as_str()), audit)?;
        let notice = Notice {
            id: audit.id.clone(),
            project: audit.project.clone(),
            environment: Some(audit.environment.clone()),
            operation: audit.operation.clone(),
            went_back: audit.from_version > audit.version,
        };
        self.put(Part::Audit, item, Condition::absent()).notice(&audit.owner, &notice, audit.at)
    }
}

fn at_revision(revision: u64) -> Condition {
    Condition::when("revision = :revision").value(":revision", number(revision))
}

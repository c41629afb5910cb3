//! A version in the making: its number, its bodies and the rows that a transaction writes for it.

use crate::deployment::change::{audit, fresh_record};
use crate::deployment::definition::Definition;
use crate::error::Error;
use crate::plane::{Call, Plane};
use tidemill_model::audit::Operation;
use tidemill_model::deployment::{Deployment, State};
use tidemill_model::version::Version;
use tidemill_store::{Audit, Hook, Notice, Transaction};

/// A version in the making.
pub struct Addition {
    pub definition: Definition,
    pub note: Option<String>,
}

/// A version that has its number, if the project's record is as it was read.
pub struct Numbered {
    pub version: Version,
    before: Option<Deployment>,
    after: Deployment,
    audit: Audit,
}

impl Addition {
    /// Gives it the next number and stores its bodies.
    pub async fn number(&self, plane: &Plane, call: &Call) -> Result<Numbered, Error> {
        let project = self.definition.pipeline.project_id();
        let before = plane.store.deployment(&call.owner, &project.into()).await?;
        let number = before.as_ref().map_or(1, |before| before.last_version + 1);
        let version = self.definition.store(plane, call, project, number, self.note.clone()).await?;
        let after = match &before {
            Some(before) => Deployment { last_version: number, revision: before.revision + 1, ..before.clone() },
            None => self.record(plane, call),
        };
        let audit = audit(plane, Operation::VersionAdd, Some(call), &after, call.now);
        Ok(Numbered { version, before, after, audit })
    }

    /// The record of a project that is not live: it counts the versions.
    fn record(&self, plane: &Plane, call: &Call) -> Deployment {
        let project = self.definition.pipeline.project_id().clone();
        let state = State::Removed { at: call.now };
        Deployment { state, version: 1, last_version: 1, ..fresh_record(plane, call, project.into()) }
    }
}

impl Numbered {
    pub fn write<'a>(&self, transaction: Transaction<'a>) -> Result<Transaction<'a>, Error> {
        let Numbered { version, before, after, audit } = self;
        let transaction = match before {
            Some(before) => transaction.deployment(after, before.revision)?,
            None => {
                let hook =
                    Hook { id: after.hook.clone(), owner: after.owner.clone(), project: after.id.project().clone() };
                transaction.new_deployment(after)?.new_hook(&hook)?
            }
        };
        let notice = Notice {
            id: audit.id.clone(),
            project: audit.deployment.project().clone(),
            environment: None,
            operation: audit.operation.clone(),
            went_back: false,
        };
        Ok(transaction.new_version(version)?.audit(audit)?.notice(&audit.owner, &notice, audit.at)?)
    }
}

//! Registers the next version of a project without putting it live, or, with `environment`, deploys it there in the same
//! transaction.

use crate::answer::VersionAnswer;
use crate::deployment::change::{Rounds, audit, fresh_record};
use crate::deployment::definition::Definition;
use crate::environment::change::{Change, OfEnvironment, deployed};
use crate::environment::get::EnvironmentAnswer;
use crate::error::Error;
use crate::plane::{Call, Plane};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tidemill_model::deployment::{Deployment, State, checked_note};
use tidemill_model::ids::EnvironmentName;
use tidemill_model::key::Scope;
use tidemill_model::version::Version;
use tidemill_store::{Audit, Hook, Notice, Part, Transaction};

pub struct Add;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The pipeline as it is to be stored, to the byte.
    pub pipeline: Box<RawValue>,
    /// Kept with the version.
    pub note: Option<String>,
    /// Where to deploy it at once.
    pub environment: Option<EnvironmentName>,
}

#[derive(Debug, Serialize)]
pub struct Output {
    #[serde(flatten)]
    pub version: VersionAnswer,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<EnvironmentAnswer>,
}

impl crate::Operation for Add {
    const NAME: &'static str = "version_add";
    const SCOPE: Scope = Scope::Control;
    type Input = Input;
    type Output = Output;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Output, Error> {
        let note = checked_note(input.note)?;
        let definition = Definition::compile_each(plane, &input.pipeline)?;
        let project = definition.pipeline.project_id().clone();
        let addition = Addition { definition, note };
        let Some(environment) = input.environment else {
            return Ok(Output { version: addition.alone(plane, call).await?, environment: None });
        };
        let of = OfEnvironment { project, environment };
        let change = Change { plane, call, of: &of, operation: Self::NAME, source: None, adds: Some(&addition) };
        let changed = change.make(|call, before, number| Ok(deployed(call, &of, before, number))).await?;
        let answer = EnvironmentAnswer::of(&changed);
        Ok(Output { version: changed.version.into(), environment: Some(answer) })
    }
}

/// A version in the making.
pub struct Addition {
    pub definition: Definition,
    note: Option<String>,
}

/// A version that has its number, if the project's record is as it was read.
pub struct Numbered {
    pub version: Version,
    before: Option<Deployment>,
    after: Deployment,
    audit: Audit,
}

impl Addition {
    async fn alone(&self, plane: &Plane, call: &Call) -> Result<VersionAnswer, Error> {
        let mut rounds = Rounds::new();
        loop {
            let numbered = self.number(plane, &call.after(plane, call.now)).await?;
            match numbered.write(plane.store.transaction())?.commit().await {
                Ok(()) => {
                    plane.tell(&call.owner).await;
                    return Ok(numbered.version.into());
                }
                Err(error) => rounds.again(plane, error, Part::Deployment).await?,
            }
        }
    }

    /// Gives it the next number and stores its bodies.
    pub async fn number(&self, plane: &Plane, call: &Call) -> Result<Numbered, Error> {
        let project = self.definition.pipeline.project_id();
        let before = plane.store.deployment(&call.owner, project).await?;
        let number = before.as_ref().map_or(1, |before| before.last_version + 1);
        let version = self.definition.store(plane, call, project, number, self.note.clone()).await?;
        let after = match &before {
            Some(before) => Deployment { last_version: number, revision: before.revision + 1, ..before.clone() },
            None => self.record(plane, call),
        };
        let audit = audit(plane, "version_add", Some(call), &after, call.now);
        Ok(Numbered { version, before, after, audit })
    }

    /// The record of a project that is not live: it counts the versions.
    fn record(&self, plane: &Plane, call: &Call) -> Deployment {
        let project = self.definition.pipeline.project_id().clone();
        let state = State::Removed { at: call.now };
        Deployment { state, version: 1, last_version: 1, ..fresh_record(plane, call, project) }
    }
}

impl Numbered {
    pub fn write<'a>(&self, transaction: Transaction<'a>) -> Result<Transaction<'a>, Error> {
        let Numbered { version, before, after, audit } = self;
        let transaction = match before {
            Some(before) => transaction.deployment(after, before.revision)?,
            None => {
                let hook = Hook { id: after.hook.clone(), owner: after.owner.clone(), project: after.project.clone() };
                transaction.new_deployment(after)?.new_hook(&hook)?
            }
        };
        let notice = Notice {
            id: audit.id.clone(),
            project: audit.project.clone(),
            environment: None,
            operation: audit.operation.clone(),
            went_back: false,
        };
        Ok(transaction.new_version(version)?.audit(audit)?.notice(&audit.owner, &notice, audit.at)?)
    }
}

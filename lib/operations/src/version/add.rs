//! Registers the next version of a project without putting it live, or, with `environment`, deploys it there in the same
//! transaction.

use crate::answer::VersionAnswer;
use crate::deployment::change::{Rounds, audit, fresh_record};
use crate::deployment::definition::Definition;
use crate::environment::change::{Change, Changed, Incoming, OfEnvironment, deployed};
use crate::environment::get::EnvironmentAnswer;
use crate::error::Error;
use crate::idempotency::{Answer, Once};
use crate::plane::{Call, Plane};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tidemill_model::deployment::{Deployment, State, checked_note};
use tidemill_model::ids::{EnvironmentName, ProjectId};
use tidemill_model::key::Scope;
use tidemill_model::version::Version;
use tidemill_store::{Audit, Hook, Notice, Part, Transaction};

pub struct Add;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Refuses a pipeline of another project.
    pub project: Option<ProjectId>,
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
    type Output = Answer<Output>;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Self::Output, Error> {
        let note = checked_note(input.note)?;
        let definition = Definition::compile_each(plane, &input.pipeline)?;
        if let Some(project) = &input.project {
            definition.must_be_of(project)?;
        }
        let request = serde_json::to_string(&(&input.environment, &note)).map_err(Error::internal)?;
        let request = [input.pipeline.get(), &request];
        let project = definition.pipeline.project_id().clone();
        let addition = Addition { definition, note };
        let Some(environment) = input.environment else {
            let once = Once::of(call, Self::NAME, &request)?;
            return addition.alone(plane, call, once.as_ref()).await;
        };
        let of = OfEnvironment { project, environment };
        let change = Change {
            plane,
            call,
            of: &of,
            operation: Self::NAME,
            source: None,
            incoming: Incoming::Addition(&addition),
        };
        let answer = |changed: &Changed| Output {
            version: changed.version.clone().into(),
            environment: Some(EnvironmentAnswer::of(changed)),
        };
        change.make_once(&request, answer, |call, before, number| Ok(deployed(call, &of, before, number))).await
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
    async fn alone(&self, plane: &Plane, call: &Call, once: Option<&Once>) -> Result<Answer<Output>, Error> {
        if let Some(once) = once
            && let Some(earlier) = once.earlier(plane, call).await?
        {
            return Ok(Answer::Before(earlier));
        }
        let mut rounds = Rounds::new();
        loop {
            let call = &call.after(plane, call.now);
            let numbered = self.number(plane, call).await?;
            let answer = Output { version: numbered.version.clone().into(), environment: None };
            let mut transaction = numbered.write(plane.store.transaction())?;
            if let Some(once) = once {
                transaction = once.remember(transaction, call, &answer)?;
            }
            match (transaction.commit().await, once) {
                (Ok(()), _) => {
                    plane.tell(&call.owner).await;
                    return Ok(Answer::Now(answer));
                }
                (Err(error), Some(once)) if error.rejects(Part::Idempotency) => {
                    let earlier = once.earlier(plane, call).await?;
                    return earlier.map(Answer::Before).ok_or_else(|| error.into());
                }
                (Err(error), _) => rounds.again(plane, error, Part::Deployment).await?,
            }
        }
    }

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
        let audit = audit(plane, "version_add", Some(call), &after, call.now);
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

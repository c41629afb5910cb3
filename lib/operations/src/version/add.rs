//! Registers the next version of a project without putting it live, or, with `environment`, deploys it there in the same
//! transaction.

use crate::answer::VersionAnswer;
use crate::deployment::change::Retry;
use crate::deployment::definition::Definition;
use crate::environment::change::{Change, Changed, Incoming, OfEnvironment, deployed};
use crate::environment::get::EnvironmentAnswer;
use crate::error::Error;
use crate::idempotency::{Answer, Idempotency};
use crate::plane::{Call, Plane};
use crate::version::addition::Addition;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tidemill_model::audit;
use tidemill_model::deployment::checked_note;
use tidemill_model::ids::{EnvironmentName, ProjectId};
use tidemill_model::key::Scope;
use tidemill_store::Part;

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
    pub environment: Option<EnvironmentAnswer>,
}

impl crate::Operation for Add {
    const NAME: &'static str = "version_add";
    const SCOPE: Option<Scope> = Some(Scope::Control);
    type Input = Input;
    type Output = Answer<Output>;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Self::Output, Error> {
        let note = checked_note(input.note)?;
        let definition = Definition::compile_each(plane, &input.pipeline)?;
        if let Some(project) = &input.project {
            definition.must_be_of(project)?;
        }
        let request = (input.pipeline.get().to_owned(), input.environment.clone(), note.clone());
        let project = definition.pipeline.project_id().clone();
        let addition = Addition { definition, note };
        let Some(environment) = input.environment else {
            let once = Idempotency::of(call, Self::NAME, &request)?;
            return alone(plane, call, &addition, once.as_ref()).await;
        };
        let of = OfEnvironment { project, environment };
        let incoming = Incoming::Addition(&addition);
        let change = Change { incoming, ..Change::new(plane, call, &of, audit::Operation::VersionAdd) };
        let answer = |changed: &Changed| Output {
            version: changed.version.clone().into(),
            environment: Some(EnvironmentAnswer::of(changed)),
        };
        change.make_once(&request, answer, |call, before, number| deployed(call, &of, before, number)).await
    }
}

/// Adds the version without deploying it.
async fn alone(
    plane: &Plane,
    call: &Call,
    addition: &Addition,
    once: Option<&Idempotency>,
) -> Result<Answer<Output>, Error> {
    if let Some(once) = once
        && let Some(earlier) = once.earlier(plane, call).await?
    {
        return Ok(Answer::Before(earlier));
    }
    let mut retry = Retry::new();
    loop {
        let call = &call.after(plane, call.now);
        let numbered = addition.number(plane, call).await?;
        let answer = Output { version: numbered.version.clone().into(), environment: None };
        let mut transaction = numbered.write(plane.store.transaction())?;
        if let Some(once) = once {
            transaction = once.remember(transaction, call, &answer)?;
        }
        match (transaction.commit().await, once) {
            (Ok(()), _) => {
                plane.notify_watchers(&call.owner).await;
                return Ok(Answer::Now(answer));
            }
            (Err(error), Some(once)) if error.rejects(Part::Idempotency) => {
                let earlier = once.earlier(plane, call).await?;
                return earlier.map(Answer::Before).ok_or_else(|| error.into());
            }
            (Err(error), _) => retry.again(plane, error, Part::Deployment).await?,
        }
    }
}

//! Changes a deployment's pipeline, schedule or settings. What is absent stays as it is. A pipeline that differs makes
//! a version; one that does not makes none.
//!
//! With a pipeline it is a deploy: the deployment acts under the caller's key from then on, and is active again if the plane
//! had stopped it.

use crate::answer::DeploymentAnswer;
use crate::deployment::change::{Retry, audit, existing, settle, touched, with_change};
use crate::deployment::definition;
use crate::deployment::definition::{Definition, SettingsGiven, changed_since};
use crate::deployment::tick::ticked;
use crate::error::{Code, Error};
use crate::idempotency::{Answer, Idempotency};
use crate::plane::{Call, Plane};
use crate::run::open::ring_released;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tidemill_model::audit::Operation;
use tidemill_model::deployment::{Deployment, checked_note};
use tidemill_model::ids::ProjectId;
use tidemill_model::key::Scope;
use tidemill_store::Part;

pub struct Update;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    pub project: ProjectId,
    #[serde(default, deserialize_with = "present")]
    pub pipeline: Option<Box<RawValue>>,
    #[serde(default, deserialize_with = "present")]
    pub schedule: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub timezone: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub catch_up_seconds: Option<u32>,
    #[serde(default, deserialize_with = "present")]
    pub max_attempts: Option<u32>,
    #[serde(default, deserialize_with = "present")]
    pub timeout_seconds: Option<u32>,
    #[serde(default, deserialize_with = "present")]
    pub note: Option<String>,
    /// Refuses the update if the deployment has moved on from it.
    #[serde(default, deserialize_with = "present")]
    pub revision: Option<u64>,
}

impl Input {
    /// What makes one update differ from another.
    fn fields(&self) -> impl Serialize {
        let timing = (&self.schedule, &self.timezone);
        let settings = (self.catch_up_seconds, self.max_attempts, self.timeout_seconds);
        (
            &self.project,
            self.pipeline.as_ref().map(|pipeline| pipeline.get()),
            timing,
            settings,
            &self.note,
            self.revision,
        )
    }
}

/// Absent is not null: an absent field stays as it is, a null one is refused by its type.
fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

impl crate::Operation for Update {
    const NAME: &'static str = "deployment_update";
    const SCOPE: Option<Scope> = Some(Scope::Control);
    type Input = Input;
    type Output = Answer<DeploymentAnswer>;

    async fn run(plane: &Plane, call: &Call, mut input: Input) -> Result<Self::Output, Error> {
        input.note = checked_note(input.note)?;
        let once = Idempotency::of(call, Self::NAME, &input.fields())?;
        if let Some(once) = &once
            && let Some(answer) = once.earlier(plane, call).await?
        {
            // What is gone is not shown as if it were there.
            existing(plane, &call.owner, &input.project).await?;
            return Ok(Answer::Before(answer));
        }
        let mut retry = Retry::new();
        loop {
            match update(plane, call, &input, once.as_ref()).await {
                Ok(answer) => return Ok(Answer::Now(answer)),
                Err(Failed::Table(error)) if error.rejects(Part::Idempotency) => {
                    let earlier = match &once {
                        Some(once) => once.earlier(plane, call).await?,
                        None => None,
                    };
                    return earlier.map(Answer::Before).ok_or_else(|| error.into());
                }
                Err(Failed::Table(error)) => retry.again(plane, error, Part::Deployment).await?,
                Err(Failed::With(error)) => return Err(error),
            }
        }
    }
}

enum Failed {
    Table(tidemill_store::Error),
    With(Error),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Failed {
        Failed::With(error)
    }
}

impl From<tidemill_store::Error> for Failed {
    fn from(error: tidemill_store::Error) -> Failed {
        Failed::Table(error)
    }
}

/// One attempt: reads the deployment, decides, and writes if it has not changed since.
async fn update(
    plane: &Plane,
    call: &Call,
    input: &Input,
    once: Option<&Idempotency>,
) -> Result<DeploymentAnswer, Failed> {
    let before = existing(plane, &call.owner, &input.project).await?;
    if let Some(expected) = input.revision.filter(|expected| *expected != before.revision) {
        return Err(changed_since("deployment", expected, before.revision).into());
    }
    let before = ticked(plane, before).await?;
    let call = &call.after(plane, before.updated_at);
    let mut after = touched(&before, call.now);
    let given = SettingsGiven {
        catch_up_seconds: input.catch_up_seconds,
        max_attempts: input.max_attempts,
        timeout_seconds: input.timeout_seconds,
    };
    after.settings = given.over(before.settings)?;
    after.schedule = definition::schedule(input.schedule.as_deref(), input.timezone.as_deref(), &before.schedule)?;
    let definition = match &input.pipeline {
        None => None,
        Some(pipeline) => Some(definition_of(plane, pipeline, &after)?),
    };
    let mut warnings = Vec::new();
    let mut new_version = None;
    if let Some(definition) = &definition {
        warnings = definition.all_warnings(plane, &call.owner).await?;
        after.take_over(call.key.clone());
        if is_new(plane, &before, definition).await? {
            after.last_version += 1;
            after.version = after.last_version;
            let number = after.last_version;
            let note = input.note.clone();
            new_version = Some(definition.store(plane, call, before.id.project(), number, note).await?);
        }
    }
    let settled = settle(plane, &before, &mut after, plane.now());
    let audit = audit(plane, Operation::DeploymentUpdate, Some(call), &after, call.now);
    let mut transaction = with_change(plane.store.transaction(), &before, &after, settled.as_ref(), &audit)?;
    if let Some(version) = &new_version {
        transaction = transaction.new_version(version)?;
    }
    let mut answer = DeploymentAnswer::of(plane, &after);
    answer.warnings = warnings;
    if let Some(once) = once {
        transaction = once.remember(transaction, call, &answer)?;
    }
    transaction.commit().await?;
    plane.follow(&after).await;
    ring_released(plane, &before, &after).await;
    Ok(answer)
}

/// Compiles the new pipeline, which must be of the same project.
fn definition_of(plane: &Plane, pipeline: &RawValue, after: &Deployment) -> Result<Definition, Error> {
    let definition = Definition::compile(plane, pipeline, definition::start_on(&after.schedule))?;
    definition.must_be_of(after.id.project())?;
    Ok(definition)
}

/// Whether a pipeline differs from the one that is live.
async fn is_new(plane: &Plane, before: &Deployment, definition: &Definition) -> Result<bool, Error> {
    let live = plane.store.version(&before.owner, before.id.project(), before.version).await?;
    let live = live.ok_or_else(|| Error::new(Code::Internal, "the live version is missing"))?;
    Ok(live.sha256 != definition.sha256())
}

//! Deploys a project: one transaction that creates the deployment, its version, its hook and the audit row, on
//! condition that the project has no live deployment.

use crate::answer::DeploymentAnswer;
use crate::deployment::change::{audit, fresh_record, revived};
use crate::deployment::definition;
use crate::deployment::definition::{Definition, SettingsGiven};
use crate::error::{Code, Error};
use crate::idempotency::{Answer, Idempotency};
use crate::plane::{Call, Plane};
use serde::Deserialize;
use serde_json::value::RawValue;
use tidemill_model::audit::Operation;
use tidemill_model::deployment::{Deployment, Settings, checked_note};
use tidemill_model::ids::ProjectId;
use tidemill_model::key::Scope;
use tidemill_model::schedule::Schedule;
use tidemill_store::{Hook, Part};

pub struct Add;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// The pipeline as it is to be stored, to the byte.
    pub pipeline: Box<RawValue>,
    /// `manual` unless it is given.
    pub schedule: Option<String>,
    pub timezone: Option<String>,
    pub catch_up_seconds: Option<u32>,
    pub max_attempts: Option<u32>,
    pub timeout_seconds: Option<u32>,
    /// Kept with the version.
    pub note: Option<String>,
}

impl crate::Operation for Add {
    const NAME: &'static str = "deployment_add";
    const SCOPE: Option<Scope> = Some(Scope::Control);
    type Input = Input;
    type Output = Answer<DeploymentAnswer>;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Self::Output, Error> {
        let given = SettingsGiven {
            catch_up_seconds: input.catch_up_seconds,
            max_attempts: input.max_attempts,
            timeout_seconds: input.timeout_seconds,
        };
        let settings = given.over(Settings::default())?;
        let schedule = definition::schedule(input.schedule.as_deref(), input.timezone.as_deref(), &Schedule::MANUAL)?;
        let note = checked_note(input.note)?;
        let definition = Definition::compile(plane, &input.pipeline, definition::start_on(&schedule))?;
        let Settings { catch_up_seconds, max_attempts, timeout_seconds } = settings;
        let timing = (schedule.as_str(), schedule.zone().as_str());
        let request = (input.pipeline.get(), timing, (catch_up_seconds, max_attempts, timeout_seconds), &note);
        let once = Idempotency::of(call, Self::NAME, &request)?;
        let attempt = Attempt { plane, call, once, definition, schedule, settings, note };
        attempt.run().await
    }
}

struct Attempt<'a> {
    plane: &'a Plane,
    call: &'a Call,
    once: Option<Idempotency>,
    definition: Definition,
    schedule: Schedule,
    settings: Settings,
    note: Option<String>,
}

impl Attempt<'_> {
    async fn run(self) -> Result<Answer<DeploymentAnswer>, Error> {
        // A project that was never there is the ordinary case, so it is tried first and unread. Only a project that
        // was there before is looked at: a tombstone is built upon, a live deployment is refused.
        match self.write(None).await {
            Err(Failed::Exists) => {}
            Err(Failed::With(error)) => return Err(error),
            Ok(answer) => return Ok(answer),
        }
        loop {
            let project = self.definition.pipeline.project_id();
            let tombstone = match self.plane.store.deployment(&self.call.owner, &project.into()).await? {
                Some(found) if found.state.is_removed() => Some(found),
                Some(_) => return self.exists().await,
                None => None,
            };
            match self.write(tombstone).await {
                Err(Failed::Exists) => continue,
                Err(Failed::With(error)) => return Err(error),
                Ok(answer) => return Ok(answer),
            }
        }
    }

    /// The project has a live deployment: from this very request, sent before, or from another one.
    async fn exists(&self) -> Result<Answer<DeploymentAnswer>, Error> {
        if let Some(once) = &self.once
            && let Some(answer) = once.earlier(self.plane, self.call).await?
        {
            return Ok(Answer::Before(answer));
        }
        let project = self.definition.pipeline.project_id();
        Err(Error::new(Code::AlreadyExists, format!("project `{project}` is deployed already"))
            .hint("update it, or remove it first"))
    }

    async fn write(&self, tombstone: Option<Deployment>) -> Result<Answer<DeploymentAnswer>, Failed> {
        let Attempt { plane, call, definition, .. } = self;
        let project = definition.pipeline.project_id();
        let number = tombstone.as_ref().map_or(1, |before| before.last_version + 1);
        let version = definition.store(plane, call, project, number, self.note.clone()).await?;
        let deployment = self.deployment(tombstone.as_ref(), number);
        let mut transaction = plane.store.transaction();
        transaction = match &tombstone {
            Some(before) => transaction.deployment(&deployment, before.revision)?,
            None => {
                let hook = Hook { id: deployment.hook.clone(), owner: call.owner.clone(), project: project.clone() };
                transaction.new_deployment(&deployment)?.new_hook(&hook)?
            }
        };
        let audit = audit(plane, Operation::DeploymentAdd, Some(call), &deployment, call.now);
        transaction = transaction.new_version(&version)?.audit(&audit)?;
        let mut answer = DeploymentAnswer::of(plane, &deployment);
        answer.warnings = definition.all_warnings(plane, &call.owner).await?;
        if let Some(once) = &self.once {
            transaction = once.remember(transaction, call, &answer)?;
        }
        match transaction.commit().await {
            Ok(()) => {
                plane.follow(&deployment).await;
                Ok(Answer::Now(answer))
            }
            Err(error) if error.rejects(Part::Deployment) => Err(Failed::Exists),
            Err(error) if error.rejects(Part::Idempotency) => match &self.once {
                // The first request made a deployment, and there is none now.
                Some(once) => match once.earlier(plane, call).await? {
                    Some(_) => Err(gone(project).into()),
                    None => Err(error.into()),
                },
                None => Err(error.into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    fn deployment(&self, tombstone: Option<&Deployment>, number: u32) -> Deployment {
        let Attempt { plane, call, definition, .. } = self;
        let fresh = match tombstone {
            None => fresh_record(plane, call, definition.pipeline.project_id().into()),
            Some(before) => revived(plane, call, before),
        };
        Deployment {
            schedule: self.schedule.clone(),
            version: number,
            last_version: number,
            settings: self.settings,
            ..fresh
        }
    }
}

fn gone(project: &ProjectId) -> Error {
    Error::new(Code::Conflict, format!("this request deployed project `{project}` before, and it was removed since"))
        .hint("send a new idempotency key to deploy it again")
}

/// Why an add was not written.
enum Failed {
    /// The project is there, or was there.
    Exists,
    With(Error),
}

impl<E: Into<Error>> From<E> for Failed {
    fn from(error: E) -> Failed {
        Failed::With(error.into())
    }
}

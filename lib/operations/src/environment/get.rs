//! One environment of a project: what is live there, and how its sources run.

use crate::environment::change::{Changed, OfEnvironment, existing, version};
use crate::error::{Detail, Error};
use crate::plane::{Call, Plane};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use tidemill_model::deployment::{Deployment, State};
use tidemill_model::environment::{self, Environment};
use tidemill_model::key::Scope;
use tidemill_model::task::Trace;

pub struct Get;

impl crate::Operation for Get {
    const NAME: &'static str = "environment_get";
    const SCOPE: Option<Scope> = Some(Scope::Monitor);
    type Input = OfEnvironment;
    type Output = EnvironmentAnswer;

    async fn run(plane: &Plane, call: &Call, of: OfEnvironment) -> Result<EnvironmentAnswer, Error> {
        let environment = existing(plane, call, &of).await?;
        joined(plane, call, environment).await
    }
}

/// An environment with its version and the deployments of its sources.
pub(crate) async fn joined(plane: &Plane, call: &Call, environment: Environment) -> Result<EnvironmentAnswer, Error> {
    let deployments = plane.store.sources_of_environment(&call.owner, &environment.project, &environment.name).await?;
    let version = version(plane, call, &environment.project, environment.version).await?;
    let from_version = Some(environment.version);
    Ok(EnvironmentAnswer::of(&Changed {
        environment,
        sources: deployments,
        version,
        from_version,
        warnings: Vec::new(),
    }))
}

/// An environment's state, with that of its sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvironmentState {
    Enabled,
    Disabled,
    /// The plane stopped one of its sources.
    Errored,
    Removed,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentAnswer {
    pub environment: String,
    pub project: String,
    pub version: u32,
    pub state: EnvironmentState,
    /// What the pipeline calls itself.
    pub name: Option<String>,
    pub sources: BTreeMap<String, SourceAnswer>,
    pub revision: u64,
    pub created_at: Timestamp,
    pub created_by: String,
    pub updated_at: Timestamp,
    pub updated_by: String,
    pub deployed_at: Timestamp,
    /// Of the version.
    pub sha256: String,
    pub version_created_at: Timestamp,
    pub version_created_by: String,
    pub warnings: Vec<Detail>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceAnswer {
    pub schedule: String,
    pub timezone: String,
    pub paused: bool,
    pub ttl_seconds: Option<u32>,
    pub trace: Option<Trace>,
    pub debug: bool,
    pub last_run_at: Option<Timestamp>,
    /// Why the plane stopped it.
    pub error: Option<String>,
}

impl EnvironmentAnswer {
    pub fn of(changed: &Changed) -> EnvironmentAnswer {
        let Changed { environment, sources: deployments, version, warnings, .. } = changed;
        let is_errored = deployments.iter().any(|deployment| error(deployment).is_some());
        EnvironmentAnswer {
            environment: environment.name.to_string(),
            project: environment.project.to_string(),
            version: environment.version,
            state: match environment.state {
                environment::State::Enabled if is_errored => EnvironmentState::Errored,
                environment::State::Enabled => EnvironmentState::Enabled,
                environment::State::Disabled => EnvironmentState::Disabled,
                environment::State::Removed => EnvironmentState::Removed,
            },
            name: version.name.clone(),
            sources: sources(environment, deployments),
            revision: environment.revision,
            created_at: environment.created_at,
            created_by: environment.created_by.to_string(),
            updated_at: environment.updated_at,
            updated_by: environment.updated_by.to_string(),
            deployed_at: environment.deployed_at,
            sha256: version.sha256.clone(),
            version_created_at: version.created_at,
            version_created_by: version.created_by.to_string(),
            warnings: warnings.clone(),
        }
    }
}

fn sources(environment: &Environment, deployments: &[Deployment]) -> BTreeMap<String, SourceAnswer> {
    let of = |id: &str| deployments.iter().find(|one| one.id.environment_source().is_some_and(|of| &*of.source == id));
    let answers = environment.sources.iter().map(|(id, source)| {
        let deployment = of(id);
        let answer = SourceAnswer {
            schedule: source.schedule.as_str().to_owned(),
            timezone: source.schedule.zone().as_str().to_owned(),
            paused: source.paused,
            ttl_seconds: source.ttl_seconds,
            trace: source.trace,
            debug: source.debug,
            last_run_at: deployment.and_then(|deployment| deployment.current.as_ref()).map(|run| run.made_at()),
            error: deployment.and_then(error),
        };
        (id.clone(), answer)
    });
    answers.collect()
}

fn error(deployment: &Deployment) -> Option<String> {
    match &deployment.state {
        State::Errored { reason, .. } => Some(reason.clone()),
        _ => None,
    }
}

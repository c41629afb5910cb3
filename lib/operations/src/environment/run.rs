//! Starts one source of an environment now, as a task. Refused while a run of it is in progress, whatever started that.

use crate::answer::TaskAnswer;
use crate::deployment::definition::Definition;
use crate::environment::change::{Change, Live, OfEnvironment, deployment_of, existing};
use crate::error::{Code, Error};
use crate::plane::{Call, Plane};
use crate::task::{self, turn::SourceTurn};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tidemill_model::audit;
use tidemill_model::environment::State;
use tidemill_model::ids::{EnvironmentName, ProjectId};
use tidemill_model::key::Scope;
use tidemill_model::task::Trace;

pub struct Run;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub project: ProjectId,
    pub environment: EnvironmentName,
    /// The component to start at.
    pub source: String,
}

#[derive(Debug, Serialize)]
pub struct Output {
    #[serde(flatten)]
    pub task: TaskAnswer,
    pub version: u32,
}

impl crate::Operation for Run {
    const NAME: &'static str = "environment_run";
    const SCOPE: Option<Scope> = Some(Scope::Control);
    type Input = Input;
    type Output = Output;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Output, Error> {
        let Input { project, environment, source } = input;
        let of = OfEnvironment { project, environment };
        let environment = existing(plane, call, &of).await?;
        if environment.state == State::Disabled {
            let message = format!("environment `{}` of project `{}` is disabled", of.environment, of.project);
            return Err(Error::new(Code::FailedPrecondition, message).hint("enable it first"));
        }
        let version = environment.version;
        let live = Live::read(plane, call, &of.project, version).await?;
        live.must_have(&source)?;
        let definition = Definition::compile_at(plane, &live.text, Some(&source))?;
        let settings = environment.source(&source);
        let opening = task::open::Input {
            pipeline: live.text.clone(),
            source: Some(source.clone()),
            token: None,
            use_existing: false,
            ttl_seconds: settings.ttl_seconds,
            threads: None,
            name: None,
            variables: BTreeMap::new(),
            trace: settings.trace.unwrap_or(Trace::Full),
        };
        let call = &call.after(plane, environment.updated_at);
        let change =
            Change { source: Some(&source), ..Change::new(plane, call, &of, audit::Operation::EnvironmentRun) };
        let turn = SourceTurn {
            deployment: deployment_of(&of, &source)?,
            audit: change.audit(version, &environment),
            environment,
        };
        let task = task::open::open_in_turn(plane, call, opening, definition, turn).await?;
        Ok(Output { task, version })
    }
}

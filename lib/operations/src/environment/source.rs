//! Changes how one source runs in an environment: its schedule, whether that is paused, and what its runs record.
//! What is absent stays as it is.

use crate::deployment;
use crate::environment::change::{Change, OfEnvironment, there};
use crate::environment::get::EnvironmentAnswer;
use crate::error::{Code, Error};
use crate::plane::{Call, Plane};
use serde::Deserialize;
use tidemill_model::audit;
use tidemill_model::environment::{self, Environment, TTL_LIMIT};
use tidemill_model::ids::{EnvironmentName, ProjectId};
use tidemill_model::invalid::Invalid;
use tidemill_model::key::Scope;
use tidemill_model::schedule::Schedule;
use tidemill_model::task::Trace;

pub struct Source;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    pub project: ProjectId,
    pub environment: EnvironmentName,
    /// The component that runs start at.
    pub source: String,
    pub schedule: Option<Scheduled>,
    pub paused: Option<bool>,
    pub diagnostics: Option<Diagnostics>,
}

/// When a source runs, and for how long.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scheduled {
    /// `manual` takes the schedule away.
    pub schedule: String,
    /// UTC unless it is given.
    pub timezone: Option<String>,
    pub ttl_seconds: Option<u32>,
}

/// What the runs of a source record.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Diagnostics {
    pub trace: Option<Trace>,
    #[serde(default)]
    pub debug: bool,
}

impl crate::Operation for Source {
    const NAME: &'static str = "environment_source";
    const SCOPE: Option<Scope> = Some(Scope::Control);
    type Input = Input;
    type Output = EnvironmentAnswer;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<EnvironmentAnswer, Error> {
        let Input { project, environment, source, schedule, paused, diagnostics } = input;
        let schedule = schedule.map(parsed).transpose()?;
        let of = OfEnvironment { project, environment };
        let operation = match paused {
            Some(true) => audit::Operation::SourcePause,
            Some(false) => audit::Operation::SourceResume,
            None => audit::Operation::EnvironmentSource,
        };
        let change = Change { source: Some(&source), ..Change::new(plane, call, &of, operation) };
        let edit = |_: &Call, before: Option<Environment>, _| {
            let mut after = there(&of, before)?;
            let mut edited = after.source(&source);
            if let Some((schedule, ttl_seconds)) = &schedule {
                edited = environment::Source { schedule: schedule.clone(), ttl_seconds: *ttl_seconds, ..edited };
                // The next schedule is another one, and does not begin paused.
                edited.paused &= !schedule.is_manual();
            }
            if let Some(paused) = paused {
                if edited.schedule.is_manual() {
                    let message = format!("source `{source}` has no schedule");
                    return Err(Error::new(Code::FailedPrecondition, message).hint("set one first"));
                }
                edited.paused = paused;
            }
            if let Some(Diagnostics { trace, debug }) = diagnostics {
                edited = environment::Source { trace, debug, ..edited };
            }
            after.set_source(&source, edited);
            Ok(after)
        };
        Ok(EnvironmentAnswer::of(&change.make(edit).await?))
    }
}

fn parsed(given: Scheduled) -> Result<(Schedule, Option<u32>), Error> {
    let schedule =
        deployment::definition::schedule(Some(&given.schedule), given.timezone.as_deref(), &Schedule::MANUAL)?;
    let ttl = given.ttl_seconds.filter(|_| !schedule.is_manual());
    match ttl {
        Some(seconds) if !(1..=TTL_LIMIT).contains(&seconds) => {
            let message = format!("`ttlSeconds` is {seconds}, outside 1 to {TTL_LIMIT}");
            Err(Invalid::new("ttlSeconds", message, "leave it out to let every run come to its end").into())
        }
        _ => Ok((schedule, ttl)),
    }
}

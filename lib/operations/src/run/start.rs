//! Runs a deployment now, on demand. Refused while a run is going: a deployment never runs twice at once.

use crate::answer::RunAnswer;
use crate::deployment::change::{Retry, existing};
use crate::error::{Code, Error};
use crate::hint::Noun;
use crate::idempotency::{Answer, Idempotency};
use crate::plane::{Call, Plane};
use crate::run::turn::{bell, going};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::time::Duration;
use tidemill_engine::Input as EngineInput;
use tidemill_model::deployment::{Deployment, State};
use tidemill_model::ids::{ProjectId, RunId};
use tidemill_model::invalid::Invalid;
use tidemill_model::key::Scope;
use tidemill_model::retention::BODIES;
use tidemill_model::run::{KeptInput, Run, Trigger};
use tidemill_store::Part;

/// Inputs up to this many bytes of JSON are kept with the run, whose record stays within one write unit by it.
const SMALL_INPUT: usize = 400;
/// Largest input, in bytes: what a Lambda takes.
const INPUT_LIMIT: usize = 6 * 1024 * 1024;

pub struct Start;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub project: ProjectId,
    /// Handed to the pipeline's source: a text as text, anything else as JSON.
    pub input: Option<Box<RawValue>>,
}

impl crate::Operation for Start {
    const NAME: &'static str = "run_start";
    const SCOPE: Option<Scope> = Some(Scope::Control);
    type Input = Input;
    type Output = Answer<RunAnswer>;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Self::Output, Error> {
        let text = input.input.as_deref().map(RawValue::get);
        let once = Idempotency::of(call, Self::NAME, &[input.project.as_str(), text.unwrap_or_default()])?;
        if let Some(once) = &once
            && let Some(answer) = once.earlier(plane, call).await?
        {
            return Ok(Answer::Before(answer));
        }
        let kept = match text {
            None => None,
            Some(text) => {
                existing(plane, &call.owner, &input.project).await?;
                Some(keep_input(plane, call, &input.project, &engine_input(text)?).await?)
            }
        };
        let mut retry = Retry::new();
        loop {
            let before = triggerable(plane, call, &input.project).await?;
            refuse_overlap(plane, &before).await?;
            let id = RunId::new(call.now, plane.ambient.random_u128());
            let run = Run::of(&before, id, Trigger::Manual, call.now);
            let run = kept.iter().cloned().fold(run, Run::with_input);
            let after = before.with_turn_of(&run.id);
            let answer = RunAnswer::from(run.clone());
            let mut transaction = plane.store.transaction().deployment(&after, before.revision)?.new_run(&run)?;
            if let Some(once) = &once {
                transaction = once.remember(transaction, call, &answer)?;
            }
            match transaction.commit().await {
                Ok(()) => {
                    plane.ring(bell(&run), Duration::ZERO).await;
                    return Ok(Answer::Now(answer));
                }
                Err(error) if error.rejects(Part::Idempotency) => {
                    let earlier = match &once {
                        Some(once) => once.earlier(plane, call).await?,
                        None => None,
                    };
                    return earlier.map(Answer::Before).ok_or_else(|| error.into());
                }
                Err(error) => retry.again(plane, error, Part::Deployment).await?,
            }
        }
    }
}

fn engine_input(text: &str) -> Result<EngineInput, Error> {
    if text.len() > INPUT_LIMIT {
        return Err(Invalid::new(
            "input",
            format!("the input has {} bytes, the limit is {INPUT_LIMIT}", text.len()),
            "send less at once, or let the pipeline fetch it",
        )
        .into());
    }
    let plain: Option<String> = serde_json::from_str(text).ok();
    Ok(match plain {
        Some(plain) => EngineInput::new("text/plain", plain.into_bytes()),
        None => EngineInput::new("application/json", text.as_bytes().to_vec()),
    })
}

/// Keeps what a run will be handed until it is executed: a small input with the run, which costs no call of the table.
pub(crate) async fn keep_input(
    plane: &Plane,
    call: &Call,
    project: &ProjectId,
    input: &EngineInput,
) -> Result<KeptInput, Error> {
    let body = serde_json::to_string(input).map_err(Error::internal)?;
    if body.len() <= SMALL_INPUT {
        return Ok(KeptInput::WithTheRun(body));
    }
    let stored = plane.store.put_run_body(&call.owner, project, body.as_bytes(), plane.now() + BODIES).await?;
    Ok(KeptInput::Apart(stored))
}

/// Reads a deployment that may be triggered now.
async fn triggerable(plane: &Plane, call: &Call, project: &ProjectId) -> Result<Deployment, Error> {
    let deployment = existing(plane, &call.owner, project).await?;
    let refused = |message: String, hint: &str| Err(Error::new(Code::FailedPrecondition, message).hint(hint));
    match &deployment.state {
        State::Active => Ok(deployment),
        State::Paused { .. } => refused(format!("project `{project}` is paused"), "resume it first"),
        State::Errored { reason, .. } => {
            refused(format!("project `{project}` is errored: {reason}"), "resume it with a valid key first")
        }
        State::Removed { .. } => Err(Error::not_found(Noun::Project, project)),
    }
}

async fn refuse_overlap(plane: &Plane, deployment: &Deployment) -> Result<(), Error> {
    match going(plane, deployment).await? {
        None => Ok(()),
        Some(run) => Err(Error::new(
            Code::Conflict,
            format!(
                "run `{}` of project `{}` is {}, and a project never runs twice at once",
                run.id, run.deployment, run.state
            ),
        )
        .hint("wait for it to end, or cancel it")),
    }
}

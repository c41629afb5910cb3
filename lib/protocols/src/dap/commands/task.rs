//! `execute`, `restart`, `terminate` and what can be request about tasks: the operations of tasks in the words of
//! RocketRide's clients.

use super::arguments::{optional, required, text};
use super::pipeline::Finding;
use super::team::environment;
use super::{CommandRequest, body, done};
use crate::dap::failure::Failure;
use crate::dap::frame::{Arguments, Body};
use crate::{task_refusal, task_status};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tidemill_model::ids::ProjectId;
use tidemill_model::task::{State, Trace};
use tidemill_operations::answer::{TaskAnswer, TaskStatus};
use tidemill_operations::task::{self, send::SendError};
use tidemill_operations::{Call, Code, Error, Operation, Plane};

pub async fn execute(request: CommandRequest) -> Result<Body, Failure> {
    let CommandRequest { plane, call, mut arguments, .. } = request;
    let pipeline = arguments.take("pipeline").filter(|pipeline| pipeline.get().starts_with('{'));
    let pipeline = pipeline.ok_or_else(|| Failure::new("pipeline must be an object"))?;
    let input = task::open::Input {
        pipeline,
        source: text(&arguments, "source")?,
        token: text(&arguments, "token")?,
        use_existing: optional(&arguments, "useExisting", "true or false")?.unwrap_or(false),
        ttl_seconds: optional(&arguments, "ttl", "a whole number of seconds, 0 to 4294967295")?,
        threads: optional(&arguments, "threads", "a whole number, 1 to 64")?,
        name: text(&arguments, "name")?,
        variables: variables(&arguments)?,
        trace: trace(&arguments)?,
    };
    let opened = task::Open::run(&plane, &call, input).await.map_err(task_refusal::of_opening)?;
    body(&shown(&opened))
}

pub async fn restart(request: CommandRequest) -> Result<Body, Failure> {
    let token = match text(&request.arguments, "token")?.filter(|token| token != "*") {
        Some(token) => token,
        None => running(&request).await?.token,
    };
    let CommandRequest { plane, call, mut arguments, .. } = request;
    let pipeline = arguments.take("pipeline").filter(|pipeline| pipeline.get() != "null");
    let input = task::restart::Input { token, pipeline };
    let restarted = task::restart::restart(&plane, &call, input).await.map_err(|refused| match refused {
        SendError::Ended => ended(),
        SendError::Ending => Failure { code: Some("TASK_STOPPED"), ..Failure::new("Task is terminating") },
        SendError::Other(error) => failed(error),
    })?;
    body(&shown(&restarted))
}

pub async fn terminate(request: CommandRequest) -> Result<Body, Failure> {
    let token = token(&request.arguments)?;
    task::End::run(&request.plane, &request.call, task::end::Input { token }).await.map_err(|error| {
        match error.code {
            Code::FailedPrecondition => Failure { code: Some("TASK_STOPPED"), ..task_refusal::of_ending(error).into() },
            _ => failed(error),
        }
    })?;
    done()
}

pub async fn status(request: CommandRequest) -> Result<Body, Failure> {
    let CommandRequest { plane, call, arguments, .. } = &request;
    let status = by_token(plane, call, &token(arguments)?).await?;
    body(&task_status::of(&status, plane.now()))
}

/// The task of a token, or the run that an id stands for.
pub async fn by_token(plane: &Plane, call: &Call, token: &str) -> Result<TaskStatus, Failure> {
    let input = task::get::Input { token: Some(token.to_owned()), ..task::get::Input::default() };
    match task::Get::run(plane, call, input).await {
        Err(error) if error.code == Code::NotFound => {
            task::of_run::get(plane, call, token).await?.ok_or_else(|| failed(error))
        }
        found => found.map_err(failed),
    }
}

pub async fn token_of(request: CommandRequest) -> Result<Body, Failure> {
    body(&json!({"token": running(&request).await?.address}))
}

pub async fn pipeline(request: CommandRequest) -> Result<Body, Failure> {
    let CommandRequest { plane, call, arguments, .. } = &request;
    let input = task::pipeline::Input { token: token(arguments)? };
    body(&task::Pipeline::run(plane, call, input).await.map_err(failed)?)
}

/// The caller's tasks that take objects, each with its pipeline.
pub async fn list(request: CommandRequest) -> Result<Body, Failure> {
    let CommandRequest { plane, call, .. } = &request;
    let mut tasks = Vec::new();
    for run in task::of_run::list(plane, call).await? {
        if run.state == State::Open
            && let Some(pipeline) = task::of_run::pipeline(plane, call, &run.token).await?
        {
            tasks.push(listed(plane, &run, &pipeline));
        }
    }
    for task in task::List::run(plane, call, task::list::Input {}).await?.items {
        if task.state != State::Open {
            continue;
        }
        let input = task::pipeline::Input { token: task.token.clone() };
        match task::Pipeline::run(plane, call, input).await {
            Ok(found) => tasks.push(listed(plane, &task, &found.pipeline)),
            // It ended while the others were read.
            Err(error) if error.code == Code::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    body(&json!({"tasks": tasks}))
}

fn listed(plane: &Plane, task: &TaskStatus, pipeline: &RawValue) -> Value {
    json!({
        "name": task.name, "description": task.description, "source": task.source, "token": task.address,
        "status": task_status::of(task, plane.now())["status"], "pipeline": pipeline,
    })
}

fn shown(task: &TaskAnswer) -> Value {
    let mut shown = json!({
        "token": task.token, "id": task.id, "publicToken": task.public_token, "projectId": task.project,
        "source": task.source, "provider": task.provider,
    });
    if !task.warnings.is_empty() {
        shown["warnings"] = task.warnings.iter().map(|warning| json!(Finding::from(warning.clone()))).collect();
    }
    shown
}

/// The task that serves the source that the arguments name: with a team, the run of what is deployed there.
async fn running(request: &CommandRequest) -> Result<TaskStatus, Failure> {
    let CommandRequest { plane, call, arguments, .. } = request;
    let project = required(arguments, "projectId")?;
    let source = required(arguments, "source")?;
    let project = ProjectId::parse(project).map_err(Error::from)?;
    let environment = match text(arguments, "teamId")? {
        Some(team) => Some(environment(call, &team)?),
        None => None,
    };
    let input = task::get::Input { token: None, project: Some(project), source: Some(source), environment };
    task::Get::run(plane, call, input).await.map_err(failed)
}

/// The token that addresses a task.
pub fn token(arguments: &Arguments) -> Result<String, Failure> {
    text(arguments, "token")?.ok_or_else(|| Failure::new("Task token is required"))
}

/// The answer about a task that does not exist.
pub fn failed(error: Error) -> Failure {
    match error.code {
        Code::NotFound => Failure { code: Some("TASK_NOT_REGISTERED"), ..task_refusal::of_task(error).into() },
        _ => error.into(),
    }
}

/// The answer about a task that has ended.
pub fn ended() -> Failure {
    Failure { code: Some("TASK_COMPLETED"), ..Failure::new("Task has already completed") }
}

/// The caller's variables. Values that are no texts are ignored.
fn variables(arguments: &Arguments) -> Result<BTreeMap<String, String>, Failure> {
    let given: Option<BTreeMap<String, Value>> = optional(arguments, "env", "an object")?;
    let text = |(name, value): (String, Value)| Some((name, value.as_str()?.to_owned()));
    Ok(given.into_iter().flatten().filter_map(text).collect())
}

fn trace(arguments: &Arguments) -> Result<Trace, Failure> {
    match text(arguments, "pipelineTraceLevel")? {
        None => Ok(Trace::None),
        Some(name) => Trace::named(&name)
            .ok_or_else(|| Failure::new("pipelineTraceLevel must be one of none, metadata, summary, full")),
    }
}

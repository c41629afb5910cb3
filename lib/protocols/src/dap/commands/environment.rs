//! Environments in the words of RocketRide's newer clients, who deploy to teams.

use super::arguments::{optional, required, text};
use super::page;
use super::pipeline::Finding;
use super::team::{self, actor, not_there, team_id};
use super::version;
use super::{CommandRequest, body, seconds};
use crate::dap::failure::{Failure, with_hint};
use crate::dap::frame::{Body, shown};
use serde_json::{Map, Value, json};
use tidemill_model::environment::TTL_LIMIT;
use tidemill_model::task::Trace;
use tidemill_operations::environment::{
    self,
    get::{EnvironmentAnswer, SourceAnswer},
    source::{Diagnostics, Scheduled},
};
use tidemill_operations::{Call, Code, OfEnvironment, Operation};

pub async fn deploy(request: CommandRequest) -> Result<Body, Failure> {
    let CommandRequest { plane, call, arguments, .. } = request;
    let OfEnvironment { project, environment } = team::named(&call, &arguments)?;
    let input =
        environment::deploy::MoveInput { project, environment, version: version::number(&arguments)?, revision: None };
    let moved = version::answered(environment::Deploy::run(&plane, &call, input).await?)?;
    body(&deployment(&call, &moved.environment))
}

pub async fn list(request: CommandRequest) -> Result<Body, Failure> {
    let CommandRequest { plane, call, arguments, .. } = request;
    let environment = text(&arguments, "teamId")?.map(|team| team::environment(&call, &team)).transpose()?;
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let input =
            environment::list::Input { environment: environment.clone(), project: None, limit: Some(100), cursor };
        let page = environment::List::run(&plane, &call, input).await?;
        found.extend(page.items.iter().map(|answer| deployment(&call, answer)));
        cursor = page.next;
        if cursor.is_none() {
            return page::page(found, &arguments, &["projectId", "pipelineName", "teamId"]);
        }
    }
}

/// What needs no more than the name of an environment.
pub async fn of_team<O>(request: CommandRequest) -> Result<Body, Failure>
where
    O: Operation<Input = OfEnvironment, Output = EnvironmentAnswer>,
{
    let CommandRequest { plane, call, arguments, .. } = request;
    let of = team::named(&call, &arguments)?;
    let answer = O::run(&plane, &call, of.clone()).await.map_err(|error| not_there(&call, &of, error))?;
    body(&deployment(&call, &answer))
}

pub async fn schedule_set(request: CommandRequest) -> Result<Body, Failure> {
    let wrong_ttl = || Failure::new("ttl must be a positive integer (seconds) or omitted");
    let ttl = optional::<i64>(&request.arguments, "ttl", "").map_err(|_| wrong_ttl())?;
    let ttl_seconds = match ttl {
        None => None,
        Some(ttl) if ttl < 1 => return Err(wrong_ttl()),
        Some(ttl) => Some(u32::try_from(ttl).ok().filter(|ttl| *ttl <= TTL_LIMIT).ok_or_else(|| too_long(ttl))?),
    };
    let schedule = text(&request.arguments, "schedule")?;
    let schedule = schedule.unwrap_or_else(|| "manual".to_owned());
    let schedule = Some(Scheduled { schedule, timezone: None, ttl_seconds });
    source(request, |input| environment::source::Input { schedule, ..input }).await
}

fn too_long(ttl: i64) -> Failure {
    let message = format!("ttl is {ttl}, outside 1 to {TTL_LIMIT} seconds");
    Failure::new(with_hint(&message, Some("leave it out to let every run come to its end"))).code(Code::InvalidArgument)
}

pub async fn schedule_pause(request: CommandRequest) -> Result<Body, Failure> {
    source(request, |input| environment::source::Input { paused: Some(true), ..input }).await
}

pub async fn schedule_resume(request: CommandRequest) -> Result<Body, Failure> {
    source(request, |input| environment::source::Input { paused: Some(false), ..input }).await
}

pub async fn source_config(request: CommandRequest) -> Result<Body, Failure> {
    let trace = match request.arguments.text("traceLevel")? {
        Some(name) => Some(Trace::named(&name).ok_or_else(|| {
            Failure::new(format!("traceLevel '{}' is not one of none, metadata, summary, full", shown(&name)))
        })?),
        None => None,
    };
    let debug = optional(&request.arguments, "debugOut", "true or false")?.unwrap_or(false);
    let diagnostics = Some(Diagnostics { trace, debug });
    source(request, |input| environment::source::Input { diagnostics, ..input }).await
}

/// Changes how a source runs.
async fn source(
    request: CommandRequest,
    change: impl FnOnce(environment::source::Input) -> environment::source::Input,
) -> Result<Body, Failure> {
    let CommandRequest { plane, call, arguments, .. } = request;
    let of = team::named(&call, &arguments)?;
    let OfEnvironment { project, environment } = of.clone();
    let source = required(&arguments, "sourceId")?;
    let input =
        environment::source::Input { project, environment, source, schedule: None, paused: None, diagnostics: None };
    let changed = environment::Source::run(&plane, &call, change(input)).await;
    let answer = changed.map_err(|error| not_there(&call, &of, error))?;
    body(&deployment(&call, &answer))
}

pub async fn run(request: CommandRequest) -> Result<Body, Failure> {
    let CommandRequest { plane, call, arguments, .. } = request;
    let of = team::named(&call, &arguments)?;
    let OfEnvironment { project, environment } = of.clone();
    let source = required(&arguments, "sourceId")?;
    let input = environment::run::Input { project, environment, source: source.clone() };
    let started = environment::Run::run(&plane, &call, input).await.map_err(|error| match error.code {
        Code::AlreadyExists => {
            let team = team_id(&call, of.environment.as_str());
            let message = format!("A run of {}/{} is already active for team {team}", of.project, shown(&source));
            Failure::new(message).code(Code::AlreadyExists)
        }
        _ => not_there(&call, &of, error),
    })?;
    body(&json!({"token": started.task.token, "version": started.version}))
}

pub fn deployment(call: &Call, answer: &EnvironmentAnswer) -> Value {
    let schedules: Map<_, _> =
        answer.sources.iter().map(|(source, settings)| (source.clone(), schedule(settings))).collect();
    let mut shown = json!({
        "teamId": team_id(call, &answer.environment),
        "projectId": answer.project,
        "version": answer.version,
        "state": answer.state,
        "pipelineName": answer.name.as_deref().unwrap_or_default(),
        "schedules": schedules,
        "createdAt": seconds(answer.created_at),
        "createdBy": actor(call),
        "updatedAt": seconds(answer.updated_at),
        "updatedBy": actor(call),
        "deployedAt": seconds(answer.deployed_at),
        "sha256": answer.sha256,
        "publishedAt": seconds(answer.version_created_at),
        "publishedBy": actor(call),
    });
    if !answer.warnings.is_empty() {
        shown["warnings"] = answer.warnings.iter().map(|warning| json!(Finding::from(warning.clone()))).collect();
    }
    shown
}

fn schedule(source: &SourceAnswer) -> Value {
    json!({
        "cron": source.schedule,
        "paused": source.paused,
        "ttl": source.ttl_seconds,
        "traceLevel": source.trace,
        "debugOut": source.debug,
        "lastRunAt": source.last_run_at.map(seconds),
    })
}

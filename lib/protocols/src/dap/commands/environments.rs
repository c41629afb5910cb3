//! `rrext_deploy` and `rrext_deploy_pipe`: versions and environments in the words of RocketRide's newer clients. Their
//! teams are our environments; `@me`, the caller's own, is told as `user~<owner>`.

use super::dashboard::seconds;
use super::rows::{self, argument};
use super::validate::Finding;
use super::{Asked, Command, Handler, Needs, body};
use crate::dap::failure::{Failure, with_hint};
use crate::dap::frame::{Arguments, Body, shown};
use serde_json::{Map, Value, json};
use std::num::NonZeroU32;
use tidemill_model::environment::TTL_LIMIT;
use tidemill_model::ids::{EnvironmentName, ProjectId};
use tidemill_model::key::Scope;
use tidemill_model::pipeline::members;
use tidemill_model::task::Trace;
use tidemill_operations::answer::VersionAnswer;
use tidemill_operations::environment::{
    self,
    get::{EnvironmentAnswer, SourceAnswer},
    history::Happened,
    source::{Diagnostics, Scheduled},
};
use tidemill_operations::schedule_preview::SchedulePreview;
use tidemill_operations::{
    Answer, Call, Code, Error, Noun, OfEnvironment, Operation, access, schedule_preview, version,
};

/// What the caller's own environment is called in answers.
const OWN_PREFIX: &str = "user~";

/// What teams may be called.
const TEAM_NAMES: &str = "hint: a team has 1 to 64 of `a-z A-Z 0-9 . _ -`, or is `@me`, your own";

/// Commands whose subcommands are each an operation.
pub static OF_ENVIRONMENTS: &[Command] = &[
    Command { name: "rrext_deploy", needs: Needs::Login, handle: |asked| Box::pin(dispatch(asked, OF_VERSIONS)) },
    Command { name: "rrext_deploy_pipe", needs: Needs::Login, handle: |asked| Box::pin(dispatch(asked, OF_TEAMS)) },
];

/// One thing that a command can be asked for.
struct Subcommand {
    name: &'static str,
    needs: Scope,
    handle: Handler,
}

const fn subcommand(name: &'static str, needs: Scope, handle: Handler) -> Subcommand {
    Subcommand { name, needs, handle }
}

static OF_VERSIONS: &[Subcommand] = &[
    subcommand("add", version::Add::SCOPE, |asked| Box::pin(add(asked))),
    subcommand("versions", version::List::SCOPE, |asked| Box::pin(versions(asked))),
    subcommand("history", environment::History::SCOPE, |asked| Box::pin(history(asked))),
    subcommand("artifact", version::Get::SCOPE, |asked| Box::pin(artifact(asked))),
];

static OF_TEAMS: &[Subcommand] = &[
    subcommand("deploy", environment::Deploy::SCOPE, |asked| Box::pin(deploy(asked))),
    subcommand("list", environment::List::SCOPE, |asked| Box::pin(list(asked))),
    subcommand("get", environment::Get::SCOPE, |asked| Box::pin(of_team::<environment::Get>(asked))),
    subcommand("enable", environment::Enable::SCOPE, |asked| Box::pin(of_team::<environment::Enable>(asked))),
    subcommand("disable", environment::Disable::SCOPE, |asked| Box::pin(of_team::<environment::Disable>(asked))),
    subcommand("remove", environment::Remove::SCOPE, |asked| Box::pin(of_team::<environment::Remove>(asked))),
    subcommand("schedule_set", environment::Source::SCOPE, |asked| Box::pin(schedule_set(asked))),
    subcommand("schedule_pause", environment::Source::SCOPE, |asked| Box::pin(schedule_paused(asked, true))),
    subcommand("schedule_resume", environment::Source::SCOPE, |asked| Box::pin(schedule_paused(asked, false))),
    subcommand("source_config", environment::Source::SCOPE, |asked| Box::pin(source_config(asked))),
    subcommand("run", environment::Run::SCOPE, |asked| Box::pin(run(asked))),
    subcommand("preview", SchedulePreview::SCOPE, |asked| Box::pin(preview(asked))),
];

async fn dispatch(asked: Asked, subcommands: &'static [Subcommand]) -> Result<Body, Failure> {
    let name = required(&asked.arguments, "subcommand").map_err(|_| Failure::new("Subcommand is required"))?;
    let found = subcommands.iter().find(|subcommand| subcommand.name == name);
    let Subcommand { needs, handle, .. } =
        found.ok_or_else(|| Failure::new(format!("Unknown subcommand: {}", shown(&name))))?;
    access::authenticate::check(&asked.call, *needs).map_err(|_| Failure::denied(*needs))?;
    handle(asked).await
}

async fn add(asked: Asked) -> Result<Body, Failure> {
    let Asked { plane, call, mut arguments, .. } = asked;
    match arguments.text("kind")?.as_deref() {
        None | Some("" | "pipe") => {}
        Some(kind) => {
            return Err(Failure::new(format!("Unsupported kind '{}': only 'pipe' is deployed here", shown(kind))));
        }
    }
    let pipeline = arguments.take("pipeline").filter(|pipeline| !members::is_empty(pipeline));
    let pipeline = pipeline.ok_or_else(|| Failure::new("pipeline is required"))?;
    if !pipeline.get().starts_with('{') {
        return Err(Failure::new("pipeline must be an object"));
    }
    for name in ["project_id", "name"] {
        if members::member(&pipeline, name).is_none_or(|value| matches!(value, "null" | "\"\"")) {
            return Err(Failure::new(format!("pipeline.{name} is required")));
        }
    }
    if members::member(&pipeline, "name").is_some_and(|name| !name.starts_with('"')) {
        return Err(Failure::new("pipeline.name must be a text"));
    }
    let environment = match arguments.text("deployTo")?.filter(|team| !team.is_empty()) {
        Some(team) => Some(environment(&call, &team)?),
        None => None,
    };
    let note = arguments.text("comment")?.filter(|comment| !comment.is_empty());
    let input = version::add::Input { project: None, pipeline, note, environment };
    let added = answered(version::Add::run(&plane, &call, input).await?)?;
    let mut answer = json!({"artifact": artifact_of(&call, &added.version), "orgId": call.owner});
    if let Some(environment) = &added.environment {
        answer["deployment"] = deployment(&call, environment);
    }
    body(&answer)
}

async fn versions(asked: Asked) -> Result<Body, Failure> {
    let Asked { plane, call, arguments, .. } = asked;
    let project = project(&arguments)?;
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let input = version::list::Input { project: project.clone(), limit: Some(100), cursor };
        let page = match version::List::run(&plane, &call, input).await {
            // A project without versions is an empty list on this wire.
            Err(error) if error.code == Code::NotFound => break,
            page => page?,
        };
        found.extend(page.items.iter().map(|version| artifact_of(&call, version)));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    rows::page(found, &arguments, &["pipelineName", "comment"])
}

async fn history(asked: Asked) -> Result<Body, Failure> {
    let Asked { plane, call, arguments, .. } = asked;
    let project = project(&arguments)?;
    let team = arguments.text("teamId")?.filter(|team| !team.is_empty());
    let environment = team.map(|team| environment(&call, &team)).transpose()?;
    let found = match environment::history::all(&plane, &call, &project, environment.as_ref()).await {
        Err(error) if error.code == Code::NotFound => Vec::new(),
        found => found?,
    };
    let found = found.iter().filter_map(|happened| history_row(&call, happened)).collect();
    rows::page(found, &arguments, &["action", "teamId"])
}

async fn artifact(asked: Asked) -> Result<Body, Failure> {
    let Asked { plane, call, arguments, .. } = asked;
    let input = version::get::Input { project: project(&arguments)?, version: version(&arguments)? };
    let found = version::Get::run(&plane, &call, input).await?;
    Ok(found.pipeline)
}

async fn deploy(asked: Asked) -> Result<Body, Failure> {
    let Asked { plane, call, arguments, .. } = asked;
    let OfEnvironment { project, environment } = team(&call, &arguments)?;
    let input = environment::deploy::Input { project, environment, version: version(&arguments)?, revision: None };
    let moved = answered(environment::Deploy::run(&plane, &call, input).await?)?;
    body(&deployment(&call, &moved.environment))
}

async fn list(asked: Asked) -> Result<Body, Failure> {
    let Asked { plane, call, arguments, .. } = asked;
    let team = arguments.text("teamId")?.filter(|team| !team.is_empty());
    let environment = team.map(|team| environment(&call, &team)).transpose()?;
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let input =
            environment::list::Input { environment: environment.clone(), project: None, limit: Some(100), cursor };
        let page = environment::List::run(&plane, &call, input).await?;
        found.extend(page.items.iter().map(|answer| deployment(&call, answer)));
        cursor = page.next;
        if cursor.is_none() {
            return rows::page(found, &arguments, &["projectId", "pipelineName", "teamId"]);
        }
    }
}

/// What needs no more than the name of an environment.
async fn of_team<O>(asked: Asked) -> Result<Body, Failure>
where
    O: Operation<Input = OfEnvironment, Output = EnvironmentAnswer>,
{
    let Asked { plane, call, arguments, .. } = asked;
    let of = team(&call, &arguments)?;
    let answer = O::run(&plane, &call, of.clone()).await.map_err(|error| not_there(&call, &of, error))?;
    body(&deployment(&call, &answer))
}

async fn schedule_set(asked: Asked) -> Result<Body, Failure> {
    let wrong_ttl = || Failure::new("ttl must be a positive integer (seconds) or omitted");
    let ttl = argument::<i64>(&asked.arguments, "ttl", "").map_err(|_| wrong_ttl())?;
    let ttl_seconds = match ttl {
        None => None,
        Some(ttl) if ttl < 1 => return Err(wrong_ttl()),
        Some(ttl) => Some(u32::try_from(ttl).ok().filter(|ttl| *ttl <= TTL_LIMIT).ok_or_else(|| too_long(ttl))?),
    };
    let schedule = asked.arguments.text("schedule")?.filter(|text| !text.is_empty());
    let schedule = schedule.unwrap_or_else(|| "manual".to_owned());
    let schedule = Some(Scheduled { schedule, timezone: None, ttl_seconds });
    source(asked, |input| environment::source::Input { schedule, ..input }).await
}

fn too_long(ttl: i64) -> Failure {
    let message = format!("ttl is {ttl}, outside 1 to {TTL_LIMIT} seconds");
    Failure::new(with_hint(&message, Some("leave it out to let every run come to its end"))).code(Code::InvalidArgument)
}

async fn schedule_paused(asked: Asked, paused: bool) -> Result<Body, Failure> {
    source(asked, |input| environment::source::Input { paused: Some(paused), ..input }).await
}

async fn source_config(asked: Asked) -> Result<Body, Failure> {
    let trace = match asked.arguments.text("traceLevel")? {
        Some(name) => Some(Trace::named(&name).ok_or_else(|| {
            Failure::new(format!("traceLevel '{}' is not one of none, metadata, summary, full", shown(&name)))
        })?),
        None => None,
    };
    let debug = argument(&asked.arguments, "debugOut", "true or false")?.unwrap_or(false);
    let diagnostics = Some(Diagnostics { trace, debug });
    source(asked, |input| environment::source::Input { diagnostics, ..input }).await
}

/// Changes how a source runs.
async fn source(
    asked: Asked,
    change: impl FnOnce(environment::source::Input) -> environment::source::Input,
) -> Result<Body, Failure> {
    let Asked { plane, call, arguments, .. } = asked;
    let of = team(&call, &arguments)?;
    let OfEnvironment { project, environment } = of.clone();
    let source = required(&arguments, "sourceId")?;
    let input =
        environment::source::Input { project, environment, source, schedule: None, paused: None, diagnostics: None };
    let changed = environment::Source::run(&plane, &call, change(input)).await;
    let answer = changed.map_err(|error| not_there(&call, &of, error))?;
    body(&deployment(&call, &answer))
}

async fn run(asked: Asked) -> Result<Body, Failure> {
    let Asked { plane, call, arguments, .. } = asked;
    let of = team(&call, &arguments)?;
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

async fn preview(asked: Asked) -> Result<Body, Failure> {
    let Asked { plane, call, arguments, .. } = asked;
    // An empty text is a schedule that cannot be read, and that is an answer.
    let schedule = arguments.text("schedule")?.ok_or_else(|| Failure::new("schedule is required"))?;
    let count = argument::<i64>(&arguments, "count", "a whole number")?;
    let count = count.map(|count| u32::try_from(count.max(0)).unwrap_or(u32::MAX));
    let seen = SchedulePreview::run(&plane, &call, schedule_preview::Input { schedule, timezone: None, count }).await?;
    let next: Vec<_> = seen.next.into_iter().map(seconds).collect();
    let mut answer = json!({"valid": seen.valid, "next": next});
    if let Some(error) = seen.error {
        answer["error"] = with_hint(&error, seen.hint.as_deref()).into();
    }
    body(&answer)
}

/// The answer of a request without an idempotency key, which cannot have been answered before.
fn answered<T>(answer: Answer<T>) -> Result<T, Failure> {
    answer.now().ok_or_else(|| Error::internal("an answer of no idempotency key").into())
}

fn required(arguments: &Arguments, name: &str) -> Result<String, Failure> {
    let text = arguments.text(name)?.filter(|text| !text.is_empty());
    text.ok_or_else(|| Failure::new(format!("{name} is required")))
}

fn project(arguments: &Arguments) -> Result<ProjectId, Failure> {
    Ok(ProjectId::parse(required(arguments, "projectId")?).map_err(Error::from)?)
}

fn version(arguments: &Arguments) -> Result<u32, Failure> {
    let form = format!("a whole number from 1 to {}", u32::MAX);
    let number: Option<NonZeroU32> = argument(arguments, "version", &form)?;
    number.map(NonZeroU32::get).ok_or_else(|| Failure::new("version is required"))
}

fn team(call: &Call, arguments: &Arguments) -> Result<OfEnvironment, Failure> {
    let project = project(arguments)?;
    Ok(OfEnvironment { project, environment: environment(call, &required(arguments, "teamId")?)? })
}

/// The environment that a team is. Each caller may have as many as he likes, but for those of others.
pub fn environment(call: &Call, team: &str) -> Result<EnvironmentName, Failure> {
    let name = match team.strip_prefix(OWN_PREFIX) {
        Some(owner) if owner == call.owner.as_str() => EnvironmentName::OWN,
        Some(_) => {
            let message = format!("No membership in team '{}'", shown(team));
            return Err(Failure::new(message).code(Code::PermissionDenied));
        }
        None => team,
    };
    EnvironmentName::parse(name).map_err(|_| {
        let message = format!("'{}' is no name of a team; {TEAM_NAMES}", shown(team));
        Failure::new(message).code(Code::InvalidArgument)
    })
}

pub fn team_id(call: &Call, environment: &str) -> String {
    match environment {
        EnvironmentName::OWN => format!("{OWN_PREFIX}{}", call.owner),
        name => name.to_owned(),
    }
}

fn not_there(call: &Call, of: &OfEnvironment, error: Error) -> Failure {
    if error.code != Code::NotFound || error.missing == Some(Noun::Source) {
        return error.into();
    }
    let team = team_id(call, of.environment.as_str());
    Failure::new(format!("No deployment of {} for team {team}", of.project)).code(Code::NotFound)
}

/// An owner is all the people that there are.
fn actor(call: &Call) -> Value {
    json!({"userId": call.owner, "display": call.owner, "email": ""})
}

fn artifact_of(call: &Call, version: &VersionAnswer) -> Value {
    json!({
        "version": version.version,
        "sha256": version.sha256,
        "bytes": version.bytes,
        "pipelineName": version.name,
        "publishedBy": actor(call),
        "publishedAt": seconds(version.created_at),
        "comment": version.note.as_deref().unwrap_or_default(),
    })
}

fn deployment(call: &Call, answer: &EnvironmentAnswer) -> Value {
    let schedules: Map<_, _> =
        answer.sources.iter().map(|(source, settings)| (source.clone(), schedule(settings))).collect();
    let mut told = json!({
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
        told["warnings"] = answer.warnings.iter().map(|warning| json!(Finding::from(warning.clone()))).collect();
    }
    told
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

/// `None` for what the clients have no word for: changes of schedules and of what is told.
fn history_row(call: &Call, happened: &Happened) -> Option<Value> {
    let went_back = happened.from_version.is_some_and(|from| from > happened.version);
    let action = action(&happened.operation, went_back)?;
    let team = happened.environment.as_deref().map(|name| team_id(call, name)).unwrap_or_default();
    Some(json!({
        "seq": happened.number,
        "at": seconds(happened.at),
        "action": action,
        "teamId": team,
        "version": happened.version,
        "actor": actor(call),
    }))
}

/// What the clients call a change.
pub fn action(operation: &str, went_back: bool) -> Option<&'static str> {
    Some(match operation {
        "version_add" => "publish",
        "environment_deploy" | "environment_promote" if went_back => "rollback",
        "environment_deploy" | "environment_promote" => "deploy",
        "environment_rollback" => "rollback",
        "environment_enable" => "enable",
        "environment_disable" => "disable",
        "environment_remove" => "remove",
        "environment_source_pause" => "pause",
        "environment_source_resume" => "resume",
        "environment_run" => "run",
        // A tick changes a source by itself only when its key is not valid any more.
        "deployment_tick" => "errored",
        _ => return None,
    })
}

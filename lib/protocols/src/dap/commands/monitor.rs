//! `rrext_monitor`: subscribes a connection to events. It gets the present state at once.

use super::CommandRequest;
use super::arguments::{optional, text};
use super::task::failed;
use super::team::environment;
use crate::dap::event_types::Types;
use crate::dap::events::Recipient;
use crate::dap::failure::Failure;
use crate::dap::frame::{Arguments, Body};
use crate::dap::monitors::{Tasks, Watched};
use serde_json::Value;
use tidemill_model::ids::{EnvironmentName, ProjectId};
use tidemill_operations::{Code, Error, Operation, task};

pub async fn monitor(request: CommandRequest) -> Result<Body, Failure> {
    let types = types(&request.arguments)?;
    // A command line subscribes as soon as it is connected, also when it has no token yet.
    let Some(mut watched) = watched(&request)? else { return Ok(None) };
    if let Some(own) = &request.task {
        watched.tasks = confined(&request, watched.tasks, own).await?;
    }
    if let (Tasks::Token(token), false) = (&watched.tasks, types.is_empty()) {
        super::task::by_token(&request.plane, &request.call, token).await?;
    }
    let CommandRequest { plane, seat, call, events, .. } = &request;
    let new = events.monitors.set(watched.clone(), types);
    let recipient = Recipient { plane, call, connections: seat.connections() };
    for (name, body) in events.monitors.at_once(&recipient, &watched, new).await? {
        events.send(name, &body);
    }
    Ok(None)
}

/// What is to be watched; `None` if nothing is named.
fn watched(request: &CommandRequest) -> Result<Option<Watched>, Failure> {
    let CommandRequest { call, arguments, .. } = request;
    let pipe = optional(arguments, "pipeId", "a whole number")?;
    let (token, project, source) =
        (text(arguments, "token")?, text(arguments, "projectId")?, text(arguments, "source")?);
    let tasks = match (token, project, source) {
        (Some(_), Some(_), _) => Err(Failure::new("give either token or projectId, not both")),
        (Some(token), ..) if token == "*" => Ok(Tasks::All),
        (Some(token), ..) => Ok(Tasks::Token(token)),
        (None, Some(project), Some(source)) => Ok(Tasks::Of {
            project: ProjectId::parse(project).map_err(Error::from)?,
            environment: team(arguments)?.map(|team| environment(call, &team)).transpose()?,
            source: Some(source).filter(|source| source != "*"),
        }),
        (None, Some(_), None) => Err(Failure::new("source is required with projectId")),
        (None, None, Some(_)) => Err(Failure::new("token, or projectId and source, are required")),
        (None, None, None) => return Ok(None),
    };
    Ok(Some(Watched { tasks: tasks?, pipe }))
}

/// What a caller with only a task's token may watch: that task, by any name.
async fn confined(request: &CommandRequest, tasks: Tasks, own: &str) -> Result<Tasks, Failure> {
    if !matches!(tasks, Tasks::Of { .. }) {
        // The token was looked at with the caller's rights.
        return Ok(tasks);
    }
    let input = task::get::Input { token: Some(own.to_owned()), ..task::get::Input::default() };
    let task = task::Get::run(&request.plane, &request.call, input).await.map_err(failed)?;
    let is_named = matches!(&tasks, Tasks::Of { source: Some(_), .. }) && tasks.has((&task).into());
    match is_named {
        true => Ok(Tasks::Token(own.to_owned())),
        false => Err(Failure::new("a task's token is for that task alone").code(Code::PermissionDenied)),
    }
}

/// The team whose run is meant. Without one, a deployed run is that of the caller's own private team.
fn team(arguments: &Arguments) -> Result<Option<String>, Failure> {
    let team = text(arguments, "teamId")?;
    let is_deployed = text(arguments, "runKind")?.as_deref() == Some("deploy");
    Ok(team.or_else(|| is_deployed.then(|| EnvironmentName::OWN.to_owned())))
}

const REFUSED: &str = "types must be a list of names or a number of bits";

/// A list of names, or a number of bits.
fn types(arguments: &Arguments) -> Result<Types, Failure> {
    let given = arguments.raw("types").map(|raw| serde_json::from_str(raw.get())).transpose();
    match given.unwrap_or_default() {
        None | Some(Value::Null) => Ok(Types::default()),
        Some(Value::Number(bits)) => {
            // A negative number is the complement of some bits.
            let bits = bits.as_u64().or_else(|| bits.as_i64().map(i64::cast_unsigned));
            bits.map(Types::of).ok_or_else(|| Failure::new(REFUSED))
        }
        Some(Value::Array(names)) => {
            let bits = names.iter().filter_map(Value::as_str).map(|name| Types::named(name).0);
            Ok(Types(bits.fold(0, |all, bit| all | bit)))
        }
        Some(_) => Err(Failure::new(REFUSED)),
    }
}

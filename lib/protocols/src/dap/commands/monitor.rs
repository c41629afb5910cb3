//! `rrext_monitor`: what a connection wants to be told of. Subscribing tells at once how things stand.

use super::environments::environment;
use super::{Asked, text};
use crate::dap::event_types::Types;
use crate::dap::events::Asker;
use crate::dap::failure::Failure;
use crate::dap::frame::{Arguments, Body};
use crate::dap::monitors::{Tasks, Watched};
use serde_json::Value;
use tidemill_model::ids::ProjectId;
use tidemill_operations::Error;

pub async fn monitor(asked: Asked) -> Result<Body, Failure> {
    let watched = watched(&asked)?;
    let types = types(&asked.arguments)?;
    let Asked { plane, seat, call, events, .. } = &asked;
    let new = events.monitors.set(watched.clone(), types);
    let asker = Asker { plane, call, connections: seat.connections() };
    for (name, body) in events.monitors.at_once(&asker, &watched, new).await? {
        events.send(name, &body);
    }
    Ok(None)
}

fn watched(asked: &Asked) -> Result<Watched, Failure> {
    let Asked { call, arguments, .. } = asked;
    let pipe = arguments.raw("pipeId").and_then(|id| serde_json::from_str(id.get()).ok());
    let (token, project, source) =
        (text(arguments, "token")?, text(arguments, "projectId")?, text(arguments, "source")?);
    let tasks = match (token, project, source) {
        (Some(_), Some(_), _) => Err(Failure::new("give either token or projectId, not both")),
        (Some(token), ..) if token == "*" => Ok(Tasks::All),
        (Some(token), ..) => Ok(Tasks::Token(token)),
        (None, Some(project), Some(source)) => Ok(Tasks::Of {
            project: ProjectId::parse(project).map_err(Error::from)?,
            environment: text(arguments, "teamId")?.map(|team| environment(call, &team)).transpose()?,
            source: Some(source).filter(|source| source != "*"),
        }),
        (None, Some(_), None) => Err(Failure::new("source is required with projectId")),
        (None, None, _) => Err(Failure::new("token, or projectId and source, are required")),
    };
    Ok(Watched { tasks: tasks?, pipe })
}

/// A list of names, or a number of bits.
fn types(arguments: &Arguments) -> Result<Types, Failure> {
    let given = arguments.raw("types").map(|raw| serde_json::from_str(raw.get())).transpose();
    match given.unwrap_or_default() {
        None | Some(Value::Null) => Ok(Types::default()),
        Some(Value::Number(bits)) => Ok(Types(bits.as_u64().and_then(|bits| u32::try_from(bits).ok()).unwrap_or(0))),
        Some(Value::Array(names)) => {
            let bits = names.iter().filter_map(Value::as_str).map(|name| Types::named(name).0);
            Ok(Types(bits.fold(0, |all, bit| all | bit)))
        }
        Some(_) => Err(Failure::new("types must be a list of names or a number")),
    }
}

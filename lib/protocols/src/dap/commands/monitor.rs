//! `rrext_monitor`: what a connection wants to be told of. Subscribing tells at once how things stand.

pub mod events;

use super::{Asked, text};
use crate::dap::failure::Failure;
use crate::dap::frame::{Arguments, Body};
use crate::dap::monitors::{Types, Watched};
use serde_json::Value;
use tidemill_model::ids::ProjectId;
use tidemill_model::key::Scope;
use tidemill_operations::{Error, authenticate};

pub async fn monitor(asked: Asked) -> Result<Body, Failure> {
    let watched = watched(&asked.arguments)?;
    let types = types(&asked.arguments)?;
    let before = asked.events.monitors.set(watched.clone(), types);
    if authenticate::check(&asked.call, Scope::Monitor).is_err() {
        // All that is told here needs it.
        return Ok(None);
    }
    let (told, last) = events::at_once(&asked.plane, &asked.call, &watched, types.new_since(before)).await?;
    asked.events.monitors.told(&watched, last);
    for (name, body) in told {
        asked.events.send(name, &body);
    }
    Ok(None)
}

fn watched(arguments: &Arguments) -> Result<Watched, Failure> {
    let (token, project, source) =
        (text(arguments, "token")?, text(arguments, "projectId")?, text(arguments, "source")?);
    match (token, project, source) {
        (Some(_), Some(_), _) => Err(Failure::new("give either token or projectId, not both")),
        (Some(token), ..) if token == "*" => Ok(Watched::All),
        (Some(token), ..) => Ok(Watched::Token(token)),
        (None, Some(project), Some(source)) => {
            Ok(Watched::Source(ProjectId::parse(project).map_err(Error::from)?, source))
        }
        (None, Some(_), None) => Err(Failure::new("source is required with projectId")),
        (None, None, _) => Err(Failure::new("token, or projectId and source, are required")),
    }
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

//! `rrext_services` and `rrext_resolve_config`: the providers in the words of RocketRide's clients.

use super::{CommandRequest, body};
use crate::dap::failure::Failure;
use crate::dap::frame::{Body, shown};
use serde_json::{Map, Value, json};
use tidemill_model::pipeline::FORMAT_FIELDS;
use tidemill_operations::{Code, Plane, provider_list};
use tidemill_plan::Provider;

/// Version of the form of the catalogue.
const VERSION: u32 = 1;

pub async fn services(request: CommandRequest) -> Result<Body, Failure> {
    body(&catalogue(&request.plane, request.arguments.text("service")?.as_deref())?)
}

/// The catalogue, or one of its providers.
pub fn catalogue(plane: &Plane, service: Option<&str>) -> Result<Value, Failure> {
    match service.filter(|name| !name.is_empty()) {
        Some(name) => Ok(definition(provider(plane, name)?)),
        None => {
            let offered = provider_list::offered(plane).into_iter();
            let services: Map<_, _> =
                offered.map(|provider| (provider.name.to_owned(), definition(provider))).collect();
            Ok(json!({"services": services, "icons": {}, "version": VERSION}))
        }
    }
}

/// A config as a component gets it: what is absent has its default.
pub async fn resolve_config(request: CommandRequest) -> Result<Body, Failure> {
    let name = request.arguments.text("provider")?.filter(|name| !name.is_empty());
    let provider = provider(&request.plane, &name.ok_or_else(|| Failure::new("provider is required"))?)?;
    let given = request.arguments.raw("config").map_or("{}", |config| config.get());
    let Ok(given) = serde_json::from_str::<Map<String, Value>>(given) else {
        return Err(Failure::new("config must be an object"));
    };
    let nothing = Map::new();
    let known = provider.config["properties"].as_object().unwrap_or(&nothing);
    let mut resolved: Map<String, Value> =
        known.iter().filter_map(|(name, schema)| Some((name.clone(), schema.get("default")?.clone()))).collect();
    let (kept, dropped): (Map<_, _>, Map<_, _>) =
        given.into_iter().partition(|(name, _)| known.contains_key(name) || FORMAT_FIELDS.contains(&name.as_str()));
    let profile = kept.get("profile").cloned().unwrap_or(Value::Null);
    resolved.extend(kept);
    body(&json!({
        "provider": provider.name,
        "profile": profile,
        "resolved": resolved,
        "dropped": dropped.keys().collect::<Vec<_>>(),
    }))
}

fn provider(plane: &Plane, name: &str) -> Result<&'static Provider, Failure> {
    provider_list::offered(plane).into_iter().find(|provider| provider.name == name).ok_or_else(|| {
        let message = format!("Service '{}' not found; `rrext_services` lists those there are", shown(name));
        Failure::new(message).code(Code::NotFound)
    })
}

fn definition(provider: &Provider) -> Value {
    let mut lanes: Map<String, Value> =
        provider.lanes.iter().map(|(lane, gives)| (lane.to_string(), json!(gives))).collect();
    if provider.is_source() {
        lanes.insert("_source".to_owned(), json!(provider.gives));
    }
    let input: Vec<_> = provider
        .lanes
        .iter()
        .map(|(lane, gives)| json!({"lane": lane, "output": gives.iter().map(|lane| json!({"lane": lane})).collect::<Vec<_>>()}))
        .collect();
    let section = if provider.is_source() { "Source" } else { "Pipe" };
    let mut definition = json!({
        "title": provider.title,
        "protocol": format!("{}://", provider.name),
        "prefix": provider.name,
        "classType": [class_type(provider)],
        "capabilities": 0,
        "description": provider.description,
        "lanes": lanes,
        "input": input,
        "invoke": {},
        "icon": "",
        "plans": null,
    });
    definition[section] = json!({"schema": provider.config, "ui": {}});
    definition
}

/// How the clients sort what they show.
fn class_type(provider: &Provider) -> &'static str {
    match provider.class {
        tidemill_plan::Class::Source | tidemill_plan::Class::WaitingSource => "source",
        tidemill_plan::Class::Transform => "data",
        tidemill_plan::Class::Sink => "infrastructure",
    }
}

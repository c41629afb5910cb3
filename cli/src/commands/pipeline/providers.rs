//! `tidemill providers`: the kinds of components, from the catalogue that this command was built with.

use crate::completion::names;
use crate::failure::{Exit, Failure};
use crate::output::table::{self, or_dash};
use crate::session::Session;
use comfy_table::Cell;
use owo_colors::OwoColorize;
use serde::Serialize;
use serde_json::Value;
use tidemill_model::lane::Lane;
use tidemill_model::pipeline::nearest::nearest;
use tidemill_plan::{Class, Provider};

/// List the kinds of components that a pipeline may have, or show one with its lanes and its config
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  tidemill providers\n  tidemill providers http_request")]
pub struct Args {
    /// The provider to show [default: all of them, in a list]
    #[arg(add = names::providers())]
    name: Option<String>,
}

#[derive(Serialize)]
struct All {
    items: Vec<&'static Provider>,
    next: Option<String>,
}

pub fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let catalogue = tidemill_engine::catalogue();
    let Some(name) = args.name else {
        let all = All { items: catalogue.iter().collect(), next: None };
        match session.output.is_json() {
            true => session.output.json(&all),
            false => session.output.line(list(&all.items)),
        }
        return Ok(Exit::Done);
    };
    let provider = catalogue.get(&name).ok_or_else(|| unknown(&name))?;
    match session.output.is_json() {
        true => session.output.json(provider),
        false => session.output.line(shown(provider)),
    }
    Ok(Exit::Done)
}

fn unknown(name: &str) -> Failure {
    let names = tidemill_engine::catalogue().iter().map(|provider| provider.name);
    let hint = match nearest(name, names) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "`tidemill providers` lists them".to_owned(),
    };
    Failure::new("not_found", format!("provider `{name}` does not exist")).hint(hint).exit(Exit::NotFound)
}

fn list(providers: &[&Provider]) -> String {
    let mut shown =
        table::new(&["PROVIDER", "CLASS", "TAKES", "GIVES", "TITLE"]).gives_up(&["CLASS", "GIVES", "TAKES"]);
    for provider in providers {
        let takes = provider.lanes.iter().map(|(lane, _)| *lane);
        let gives = provider.gives.iter().chain(provider.lanes.iter().flat_map(|(_, gives)| gives));
        shown.add_row([
            Cell::new(provider.name),
            Cell::new(class(provider.class)),
            or_dash(names(takes)),
            or_dash(names(gives.copied())),
            Cell::new(provider.title),
        ]);
    }
    table::text(&shown)
}

fn shown(provider: &Provider) -> String {
    let local = if provider.local_only { ", only in a plane on your own machine" } else { "" };
    let mut text = format!(
        "{} – {} ({}{local})\n\n{}\n",
        provider.name.bold(),
        provider.title,
        class(provider.class),
        provider.description
    );
    let mut lanes = table::new(&["TAKES", "GIVES"]);
    for (lane, gives) in &provider.lanes {
        lanes.add_row([Cell::new(lane), or_dash(names(gives.iter().copied()))]);
    }
    if let Some(gives) = names(provider.gives.iter().copied()) {
        lanes.add_row([Cell::new("(source)"), Cell::new(gives)]);
    }
    text.push_str(&format!("\n{}\n", table::text(&lanes)));
    match config(&provider.config) {
        Some(config) => text.push_str(&format!("\n{config}")),
        None => text.push_str("\nIt has no config of its own."),
    }
    text
}

/// The config's properties, from its JSON Schema.
fn config(schema: &Value) -> Option<String> {
    let properties = schema["properties"].as_object().filter(|properties| !properties.is_empty())?;
    let required = schema["required"].as_array();
    let is_required = |name: &str| required.is_some_and(|required| required.iter().any(|one| one == name));
    let mut shown = table::new(&["CONFIG", "TYPE", "DEFAULT", "DESCRIPTION"]).in_full();
    for (name, property) in properties {
        let default = match &property["default"] {
            Value::Null if is_required(name) => Some("(required)".to_owned()),
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            value => Some(value.to_string()),
        };
        let description = property["description"].as_str().unwrap_or_default();
        shown.add_row([Cell::new(name), Cell::new(type_of(property)), or_dash(default), Cell::new(description)]);
    }
    Some(table::text(&shown))
}

fn type_of(property: &Value) -> String {
    let words = |list: &Vec<Value>| {
        list.iter()
            .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            .collect::<Vec<_>>()
            .join(" | ")
    };
    match (&property["enum"], &property["type"]) {
        (Value::Array(values), _) => words(values),
        (_, Value::String(name)) => name.clone(),
        (_, Value::Array(names)) => words(names),
        _ => "any".to_owned(),
    }
}

/// Each lane once; `None` without any.
fn names(lanes: impl Iterator<Item = Lane>) -> Option<String> {
    let mut names: Vec<String> = lanes.map(|lane| lane.to_string()).collect();
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    (!names.is_empty()).then(|| names.join(", "))
}

fn class(class: Class) -> &'static str {
    match class {
        Class::Source => "source",
        Class::WaitingSource => "waiting source",
        Class::Transform => "transform",
        Class::Sink => "sink",
    }
}

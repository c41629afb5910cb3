//! The files that people deploy from: a flat pipeline, or one in a wrapper that also says when it runs.

use super::json;
use super::limits;
use super::nearest::nearest;
use super::problem::{Problem, ProblemCode, pointer_step, quoted};
use super::reader::kind_of;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// A deploy file taken apart. The pipeline in it is not checked: that is [`super::Pipeline::parse`]'s.
#[derive(Clone, Debug, PartialEq)]
pub struct DeployFile {
    /// The pipeline's text exactly as it stands in the file.
    pub pipeline_text: String,
    /// When the pipeline is due, not parsed yet.
    pub schedule: Option<String>,
    /// The IANA name of the schedule's zone, not checked yet.
    pub timezone: Option<String>,
    /// The environment to deploy to, not checked yet.
    pub environment: Option<String>,
    /// The deployment's other fields by their names on the wire: `catchUpSeconds`, `maxAttempts`, `timeoutSeconds`
    /// (whole numbers) and `note` (a string).
    pub options: Map<String, Value>,
}

/// The outer fields, each with what it has to be.
const FIELDS: [(&str, Kind); 9] = [
    ("$schema", Kind::Text),
    ("pipeline", Kind::Pipeline),
    ("schedule", Kind::Text),
    ("timezone", Kind::Text),
    ("environment", Kind::Text),
    ("catchUpSeconds", Kind::Number),
    ("maxAttempts", Kind::Number),
    ("timeoutSeconds", Kind::Number),
    ("note", Kind::Text),
];

/// What says how a pipeline is deployed, and stands beside it: the outer fields, and the group, which is an option.
pub fn deployment_fields() -> impl Iterator<Item = &'static str> {
    FIELDS.into_iter().map(|(name, _)| name).filter(|name| !matches!(*name, "pipeline" | "$schema")).chain(["group"])
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Pipeline,
    Text,
    Number,
}

/// Takes a file apart: with a `pipeline` object in it, the other fields are the deployment's; without, all of it is
/// the pipeline.
///
/// # Errors
///
/// Every outer field that is unknown or of the wrong type; fields that are null count as absent.
pub fn unwrap_file(text: &str) -> Result<DeployFile, Vec<Problem>> {
    let value = json::parse(text, &json::FILE).map_err(|problem| vec![*problem])?;
    let mut file = DeployFile {
        pipeline_text: text.to_owned(),
        schedule: None,
        timezone: None,
        environment: None,
        options: Map::new(),
    };
    let Value::Object(outer) = value else { return Ok(file) };
    if !outer.contains_key("pipeline") {
        return Ok(file);
    }
    let problems: Vec<Problem> = outer.iter().filter_map(|(name, value)| check_field(name, value)).collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    file.pipeline_text = inner_text(text);
    for (name, value) in outer.into_iter().filter(|(_, value)| !value.is_null()) {
        match (name.as_str(), value) {
            ("schedule", Value::String(text)) => file.schedule = Some(text),
            ("timezone", Value::String(text)) => file.timezone = Some(text),
            ("environment", Value::String(text)) => file.environment = Some(text),
            // The latter is for editors.
            ("pipeline" | "$schema", _) => {}
            (_, value) => _ = file.options.insert(name, value),
        }
    }
    Ok(file)
}

/// The span of the pipeline in a text that is known to be an object with one `pipeline`.
fn inner_text(text: &str) -> String {
    #[derive(Deserialize)]
    struct Outer<'a> {
        #[serde(borrow)]
        pipeline: &'a RawValue,
    }
    serde_json::from_str::<Outer>(text).map(|outer| outer.pipeline.get().to_owned()).unwrap_or_default()
}

fn check_field(name: &str, value: &Value) -> Option<Problem> {
    let Some((_, kind)) = FIELDS.iter().find(|(known, _)| *known == name) else { return Some(unknown_field(name)) };
    let expected = match kind {
        Kind::Pipeline if value.is_object() => return None,
        Kind::Pipeline => "an object",
        _ if value.is_null() => return None,
        Kind::Text if value.is_string() => return check_note(name, value),
        Kind::Text => "a string",
        Kind::Number if value.is_u64() => return None,
        Kind::Number => "a whole number",
    };
    let message = match value {
        Value::Number(number) => format!("deploy file has `{number}` as `{name}`, expected {expected}"),
        _ => format!("deploy file has {} as `{name}`, expected {expected}", kind_of(value)),
    };
    let hint = format!("give {expected}{}", if *kind == Kind::Pipeline { "" } else { ", or leave it out" });
    Some(Problem::new(ProblemCode::WrongType, message, hint).at(format!("/{name}")))
}

fn check_note(name: &str, value: &Value) -> Option<Problem> {
    let characters = value.as_str().map_or(0, |text| text.chars().count());
    if name != "note" || characters <= limits::NOTE_CHARACTERS {
        return None;
    }
    let limit = limits::NOTE_CHARACTERS;
    let message = format!("deploy file has a note of {characters} characters, the limit is {limit}");
    Some(Problem::new(ProblemCode::InvalidValue, message, format!("shorten it to {limit} characters")).at("/note"))
}

fn unknown_field(name: &str) -> Problem {
    let hint = match nearest(name, FIELDS.iter().map(|(known, _)| *known)) {
        Some(known) => format!("did you mean `{known}`?"),
        None => {
            let names = FIELDS.iter().map(|(known, _)| *known).filter(|known| *known != "$schema");
            let known: Vec<String> = names.map(|known| format!("`{known}`")).collect();
            format!("known fields are {}", known.join(", "))
        }
    };
    let message = format!("deploy file has the unknown field {}", quoted(name));
    Problem::new(ProblemCode::UnknownField, message, hint).at(format!("/{}", pointer_step(name)))
}

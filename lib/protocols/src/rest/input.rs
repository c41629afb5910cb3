//! Puts an operation's input together from the path, the query and the body. Values of the body reach the operation as
//! they were sent, to the byte.

use super::Request;
use serde::Deserializer;
use serde::de::DeserializeOwned;
use serde::de::value::MapDeserializer;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use tidemill_model::invalid::Invalid;
use tidemill_model::pipeline::formats::Format;
use tidemill_model::pipeline::written::WrittenPipeline;
use tidemill_operations::Error;

/// A parameter that a route takes in its query.
#[derive(Clone, Copy, Debug)]
pub struct Query {
    pub name: &'static str,
    pub is: Parameter,
}

impl Query {
    pub(crate) const fn text(name: &'static str) -> Query {
        Query { name, is: Parameter::Text }
    }

    pub(crate) const fn number(name: &'static str) -> Query {
        Query { name, is: Parameter::Number }
    }

    pub(crate) const fn flag(name: &'static str) -> Query {
        Query { name, is: Parameter::Flag }
    }
}

/// How a parameter's text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    Text,
    Number,
    Flag,
}

/// Whether a route reads a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    None,
    Json,
    /// Whatever it is: for webhooks.
    Any,
}

type Fields = BTreeMap<String, Box<RawValue>>;

/// Reads the input of an operation.
pub fn input<T: DeserializeOwned>(request: &Request, query: &[Query], path: &[Query], body: Body) -> Result<T, Error> {
    let mut fields = match body {
        Body::Json => body_fields(request)?,
        Body::None | Body::Any => Fields::new(),
    };
    for (name, text) in &request.query {
        let Some(parameter) = query.iter().find(|parameter| parameter.name == name) else {
            return Err(unknown_parameter(name, query));
        };
        if fields.insert(name.clone(), value(*parameter, text)?).is_some() {
            return Err(twice(name));
        }
    }
    for (name, text) in &request.path {
        let parameter = path.iter().find(|parameter| parameter.name == name);
        let parameter = *parameter.unwrap_or(&Query { name: "", is: Parameter::Text });
        if fields.insert(name.clone(), value(Query { name: parameter.name, ..parameter }, text)?).is_some() {
            return Err(twice(name));
        }
    }
    typed(MapDeserializer::new(fields.iter().map(|(name, value)| (name.as_str(), value.as_ref()))))
}

/// Reads a type from its fields; a problem is named by its path.
pub(crate) fn typed<'de, T, D>(fields: D) -> Result<T, Error>
where
    T: DeserializeOwned,
    D: Deserializer<'de, Error = serde_json::Error>,
{
    serde_path_to_error::deserialize(fields).map_err(|error| {
        let field = error.path().to_string();
        let cause = without_position(&error.into_inner().to_string());
        let (message, named) = match field.as_str() {
            "." | "?" => (format!("the request cannot be read: {cause}"), None),
            _ => (format!("`{field}` cannot be read: {cause}"), Some(field)),
        };
        let hint = "see the API's description for the fields there are and their types";
        let mut refused: Error = Invalid::new("request", message, hint).into();
        refused.details.iter_mut().for_each(|detail| detail.field = named.clone());
        refused
    })
}

/// The position is one in a text that the caller never saw.
fn without_position(message: &str) -> String {
    message.split(" at line ").next().unwrap_or(message).to_owned()
}

fn body_fields(request: &Request) -> Result<Fields, Error> {
    if request.body.is_empty() {
        return Ok(Fields::new());
    }
    let essence = request.header("content-type").and_then(|given| given.split(';').next()).map(str::trim);
    let format = essence.and_then(Format::of_media_type).unwrap_or_default();
    let refused = |error: serde_json::Error| {
        let message = format!("the body is not a JSON object: {error}");
        Invalid::new("body", message, "send an object, e.g. `{\"schedule\": \"@hourly\"}`")
    };
    let mut fields: Fields = match format {
        Format::Json => serde_json::from_slice(&request.body).map_err(refused)?,
        format => written_fields(format, &request.body)?,
    };
    // It is for editors.
    fields.remove("$schema");
    Ok(fields)
}

/// The fields of a body in another format than JSON. A pipeline in it keeps the text that it was written in, which is the
/// whole body's.
fn written_fields(format: Format, body: &[u8]) -> Result<Fields, Error> {
    let text =
        std::str::from_utf8(body).map_err(|_| Invalid::new("body", "the body is not UTF-8", "send it as UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let converted = format.file_to_json(text).map_err(|unreadable| {
        let problem = unreadable.problem;
        Invalid::new("body", problem.message.replacen("deploy file", "the body", 1), problem.hint)
    })?;
    let mut fields: Fields = serde_json::from_str(&converted.json).map_err(|_| {
        let hint = "send an object, e.g. `schedule: \"@hourly\"`";
        Error::from(Invalid::new("body", "the body is not an object", hint))
    })?;
    if let Some(pipeline) = fields.get_mut("pipeline")
        && pipeline.get().starts_with('{')
        && matches!(WrittenPipeline::of(pipeline.get()), Ok(None))
    {
        *pipeline = WrittenPipeline::new(format, text, true).to_raw();
    }
    Ok(fields)
}

fn value(parameter: Query, text: &str) -> Result<Box<RawValue>, Error> {
    let as_number = || text.parse::<u64>().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()));
    let json = match parameter.is {
        Parameter::Text => serde_json::to_string(text).map_err(Error::internal)?,
        Parameter::Number => as_number().ok_or_else(|| unreadable(parameter.name, text, "a whole number"))?.to_string(),
        Parameter::Flag if matches!(text, "true" | "false") => text.to_owned(),
        Parameter::Flag => return Err(unreadable(parameter.name, text, "`true` or `false`")),
    };
    RawValue::from_string(json).map_err(Error::internal)
}

fn unreadable(name: &'static str, text: &str, expected: &str) -> Error {
    let message = format!("`{name}` is `{}`, expected {expected}", text.escape_debug());
    Invalid::new(name, message, format!("give {expected}")).into()
}

fn unknown_parameter(name: &str, known: &[Query]) -> Error {
    let names: Vec<_> = known.iter().map(|parameter| format!("`{}`", parameter.name)).collect();
    let hint = match names.as_slice() {
        [] => "this path takes no query parameters".to_owned(),
        _ => format!("this path takes {}", names.join(", ")),
    };
    Invalid::new("query", format!("query parameter `{}` does not exist", name.escape_debug()), hint).into()
}

fn twice(name: &str) -> Error {
    Invalid::new("request", format!("`{}` is given twice", name.escape_debug()), "give it once").into()
}

//! Puts a violation of a JSON Schema into words. Never repeats a config's text beyond a choice that was not offered:
//! it may be a secret.

use crate::advice::is_secret_name;
use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use serde_json::Value;
use tidemill_model::pipeline::problem::quoted;

/// Whether a violation says nothing yet, because the text has a `${NAME}` whose value only a run knows.
pub fn is_excused(violation: &ValidationError) -> bool {
    match violation.kind() {
        Kind::Enum { .. } | Kind::Constant { .. } | Kind::Pattern { .. } | Kind::Format { .. } => has_secret(violation),
        Kind::MinLength { .. } | Kind::MaxLength { .. } => has_secret(violation),
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
            context.iter().any(|choice| !choice.is_empty() && choice.iter().all(is_excused))
        }
        _ => false,
    }
}

fn has_secret(violation: &ValidationError) -> bool {
    violation.instance().as_str().is_some_and(names_secret)
}

/// Whether a text has a `${NAME}` in it.
fn names_secret(text: &str) -> bool {
    text.split("${").skip(1).any(|rest| {
        let name = rest.split('}').next().filter(|name| name.len() < rest.len()).unwrap_or_default();
        is_secret_name(name)
    })
}

/// What is there, to follow `component x has …`, and what to do.
pub fn said(violation: &ValidationError) -> (String, String) {
    let value = violation.instance().as_ref();
    match violation.kind() {
        Kind::Type { kind } => (of_type(value), format!("give {}", types(kind))),
        Kind::Enum { options } => (shown(value), format!("allowed are {}", choices(options))),
        Kind::Constant { expected_value } => (shown(value), format!("only `{expected_value}` is allowed")),
        Kind::Minimum { limit } => (shown(value), format!("give at least {limit}")),
        Kind::Maximum { limit } => (shown(value), format!("give at most {limit}")),
        Kind::ExclusiveMinimum { limit } => (shown(value), format!("give more than {limit}")),
        Kind::ExclusiveMaximum { limit } => (shown(value), format!("give less than {limit}")),
        Kind::MultipleOf { multiple_of } => (shown(value), format!("give a multiple of {multiple_of}")),
        Kind::MinLength { limit: 1 } => ("an empty text".into(), "give at least 1 character".into()),
        Kind::MinLength { limit } => (too("short a text"), at_least(*limit, "character", "characters")),
        Kind::MaxLength { limit } => (too("long a text"), at_most(*limit, "character", "characters")),
        Kind::MinItems { limit } => (too("short a list"), at_least(*limit, "item", "items")),
        Kind::MaxItems { limit } => (too("long a list"), at_most(*limit, "item", "items")),
        Kind::MinProperties { limit } => (too("small an object"), at_least(*limit, "property", "properties")),
        Kind::MaxProperties { limit } => (too("large an object"), at_most(*limit, "property", "properties")),
        Kind::UniqueItems => ("a list with repeated items".into(), "remove the repeated ones".into()),
        Kind::Pattern { pattern } => ("a text of another form".into(), format!("it has to match `{pattern}`")),
        Kind::Format { format } => ("a text of another form".into(), format!("it has to be a valid `{format}`")),
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => (of_type(value), either(context)),
        Kind::OneOfMultipleValid { .. } => (of_type(value), "only one of the alternatives may apply".into()),
        Kind::FalseSchema => (of_type(value), "remove it".into()),
        _ => (format!("{} that is not allowed", of_type(value)), capped(&violation.masked().to_string())),
    }
}

fn at_least(limit: u64, one: &str, many: &str) -> String {
    format!("give at least {limit} {}", if limit == 1 { one } else { many })
}

fn at_most(limit: u64, one: &str, many: &str) -> String {
    format!("give at most {limit} {}", if limit == 1 { one } else { many })
}

fn too(what: &str) -> String {
    format!("too {what}")
}

/// The ways out of a choice, each by its first violation.
fn either(context: &[Vec<ValidationError>]) -> String {
    let mut ways: Vec<String> = context.iter().filter_map(|choice| choice.first()).map(way).collect();
    ways.dedup();
    match ways.is_empty() {
        true => "give one of the alternatives in the provider's documentation".into(),
        false => ways.join(", or "),
    }
}

fn way(violation: &ValidationError) -> String {
    match violation.kind() {
        Kind::Required { property: Value::String(name) } => format!("add `{name}`"),
        Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } => "see the provider's documentation".into(),
        _ => said(violation).1,
    }
}

fn choices(options: &Value) -> String {
    let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
    options.iter().map(shown).collect::<Vec<_>>().join(", ")
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(_) | Value::Object(_) => of_type(value),
        other => format!("`{other}`"),
    }
}

fn of_type(value: &Value) -> String {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    kind.to_owned()
}

fn types(kind: &TypeKind) -> String {
    let said = |name: String| match name.as_str() {
        "array" => "a list".to_owned(),
        "integer" => "a whole number".to_owned(),
        "object" => "an object".to_owned(),
        "null" => "null".to_owned(),
        other => format!("a {other}"),
    };
    match kind {
        TypeKind::Single(kind) => said(kind.to_string()),
        TypeKind::Multiple(kinds) => kinds.iter().map(|kind| said(kind.to_string())).collect::<Vec<_>>().join(" or "),
    }
}

fn capped(text: &str) -> String {
    text.chars().take(300).collect()
}

//! Checks the texts of a config that an engine reads as a program, a template, a URL and so on. A provider's schema says
//! what kind of text a string is; what a kind demands, only the engine knows.

use crate::report::Report;
use crate::wiring::Wiring;
use crate::{Catalogue, Target};
use serde_json::Value;
use std::collections::HashMap;
use tidemill_model::pipeline::problem::{ProblemCode, pointer_step, quoted};

/// The keyword of a string's schema that holds its kind.
pub const KEYWORD: &str = "x-tidemill";

/// What a string of a config is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TextKind {
    /// A jq program.
    Jq,
    /// A Jinja template.
    Template,
    /// A template that writes an absolute URL of HTTP.
    Url,
    /// The name of an HTTP header.
    Header,
    /// A template that writes the value of an HTTP header.
    HeaderValue,
    /// A file to write, below the writable folder.
    Path,
    /// A file to read or a pattern of files, below a readable folder.
    Files,
    /// A media type such as `text/plain; charset=utf-8`.
    MediaType,
    /// A number and `s`, `m`, `h` or `d`, at most 366 days.
    Duration,
    /// A regular expression.
    Regex,
    /// The label of a character encoding, such as `windows-1252`.
    Encoding,
    /// Anything: nothing reads it.
    Text,
}

impl TextKind {
    /// Every kind, in the order of the declaration.
    pub const ALL: [TextKind; TextKind::Text as usize + 1] = [
        TextKind::Jq,
        TextKind::Template,
        TextKind::Url,
        TextKind::Header,
        TextKind::HeaderValue,
        TextKind::Path,
        TextKind::Files,
        TextKind::MediaType,
        TextKind::Duration,
        TextKind::Regex,
        TextKind::Encoding,
        TextKind::Text,
    ];

    /// The word of a schema.
    pub fn as_str(self) -> &'static str {
        match self {
            TextKind::Jq => "jq",
            TextKind::Template => "template",
            TextKind::Url => "url",
            TextKind::Header => "header",
            TextKind::HeaderValue => "header_value",
            TextKind::Path => "path",
            TextKind::Files => "files",
            TextKind::MediaType => "media_type",
            TextKind::Duration => "duration",
            TextKind::Regex => "regex",
            TextKind::Encoding => "encoding",
            TextKind::Text => "text",
        }
    }

    /// Whether the text is a program or a template, which binds a `${NAME}` to its value; any other text has it in its place.
    pub fn is_program(self) -> bool {
        matches!(self, TextKind::Jq | TextKind::Template | TextKind::Url | TextKind::HeaderValue)
    }

    /// The kind that a string's schema names, if it names one that exists.
    pub fn of(schema: &Value) -> Option<TextKind> {
        let word = schema.get(KEYWORD)?.as_str()?;
        TextKind::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Why a text cannot work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextProblem {
    /// What is wrong, to follow the name of the field: `is not a jq program: …`.
    pub message: String,
    /// What to do.
    pub hint: String,
    /// The byte of the text at which it goes wrong, if there is one.
    pub offset: Option<usize>,
}

/// Checks every text whose kind the provider declares. A text that stands in many components is read once.
pub fn check(wiring: &Wiring, catalogue: &Catalogue, target: &Target, report: &mut Report) {
    let mut known = HashMap::new();
    for (at, component) in wiring.components.iter().enumerate().filter(|(at, _)| wiring.providers[*at].is_some()) {
        let Some(schema) = catalogue.schema(&component.provider).filter(|_| !report.is_malformed(at)) else { continue };
        let mut found = Vec::new();
        find(schema.text(), &component.config, "/config", &mut found);
        for Found { kind, text, path } in found {
            let checked = known.entry((kind, text)).or_insert_with(|| catalogue.check(kind, text, target));
            if let Err(problem) = checked {
                let message = message(&wiring.name(at), &path, text, problem);
                report.component(ProblemCode::InvalidConfig, at, &path, message, problem.hint.as_str());
            }
        }
    }
}

/// A text that a schema gives a kind.
struct Found<'a> {
    kind: TextKind,
    text: &'a str,
    /// The JSON pointer below the component.
    path: String,
}

/// Looks as deep as the schema goes, which is the provider's and not the user's.
fn find<'a>(schema: &Value, value: &'a Value, path: &str, found: &mut Vec<Found<'a>>) {
    for choice in ["allOf", "anyOf", "oneOf"].iter().filter_map(|keyword| schema.get(*keyword)?.as_array()).flatten() {
        find(choice, value, path, found);
    }
    match value {
        Value::String(text) => {
            found.extend(TextKind::of(schema).map(|kind| Found { kind, text, path: path.to_owned() }));
        }
        Value::Array(items) => {
            let Some(schema) = schema.get("items") else { return };
            items.iter().enumerate().for_each(|(at, item)| find(schema, item, &format!("{path}/{at}"), found));
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = format!("{path}/{}", pointer_step(name));
                let own = schema.get("properties").and_then(|properties| properties.get(name));
                if let Some(schema) = own.or_else(|| schema.get("additionalProperties")) {
                    find(schema, value, &path, found);
                }
                if let Some(kind) = schema.get("propertyNames").and_then(TextKind::of) {
                    found.push(Found { kind, text: name, path });
                }
            }
        }
        _ => {}
    }
}

fn message(component: &str, path: &str, text: &str, problem: &TextProblem) -> String {
    let place = path.trim_start_matches('/').replace('/', ".").replace("~1", "/").replace("~0", "~");
    let position = problem.offset.map(|offset| position(text, offset)).unwrap_or_default();
    format!("component {component} has a {} that {}{position}", quoted(&place), problem.message)
}

/// `, at character 7`, and the line where there are several.
fn position(text: &str, offset: usize) -> String {
    let before = &text[..text.floor_char_boundary(offset)];
    let (line, column) =
        (before.matches('\n').count() + 1, before.chars().rev().take_while(|c| *c != '\n').count() + 1);
    match text.trim_end().contains('\n') {
        true => format!(", at line {line}, character {column}"),
        false => format!(", at character {column}"),
    }
}

//! The formats in which people write pipelines: JSON, JSON with comments, YAML.
//!
//! All of them become JSON text, with the digits of each number as they were written, and with the place of each value in
//! the text that it came from.

mod json_writer;
mod jsonc;
mod yaml;
mod yaml_scalar;

use super::json::{self, Document};
use super::problem::{Problem, ProblemCode};
use json_writer::Places;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::Path;

/// How a text is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// RFC 8259, and no more than that.
    #[default]
    Json,
    /// JSON with comments and trailing commas.
    Jsonc,
    /// YAML 1.2, one document.
    Yaml,
}

/// A place in a text, as editors count: from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

impl Position {
    /// The place of a byte of a text.
    pub fn of_byte(text: &str, at: usize) -> Position {
        let before = &text[..at];
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        Position { line: before.matches('\n').count() + 1, column }
    }
}

/// A text that became JSON.
#[derive(Clone, Debug)]
pub struct Converted {
    /// The same values in the same order.
    pub json: String,
    places: Places,
}

impl Converted {
    /// The place in the original text of the value that starts at a byte of [`Converted::json`].
    pub fn origin(&self, at: usize) -> Option<Position> {
        self.places.before(at)
    }
}

/// A text that cannot be read, and where.
#[derive(Clone, Debug)]
pub struct Unreadable {
    /// What is wrong; its message names the line and the column.
    pub problem: Problem,
    /// The same place for programs.
    pub position: Option<Position>,
}

impl Unreadable {
    fn new(code: ProblemCode, message: String, hint: &str, position: Position) -> Unreadable {
        let message = format!("{message} at line {} column {}", position.line, position.column);
        Unreadable { problem: Problem::new(code, message, hint), position: Some(position) }
    }
}

impl Format {
    /// The format that a file's name says, if it says one: `*.pipe` and `*.json`, `*.jsonc`, `*.yaml` and `*.yml`.
    pub fn of_file(path: &Path) -> Option<Format> {
        let end = path.extension()?.to_str()?.to_ascii_lowercase();
        match end.as_str() {
            "pipe" | "json" => Some(Format::Json),
            "jsonc" => Some(Format::Jsonc),
            "yaml" | "yml" => Some(Format::Yaml),
            _ => None,
        }
    }

    /// The format of a text without a name: what is JSON is JSON; what begins as JSON does, or with its comments, is
    /// JSON with comments if it can be read so; everything that is neither is YAML.
    pub fn of_text(text: &str) -> Format {
        let start = text.trim_start();
        if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() || start.is_empty() {
            return Format::Json;
        }
        match start.starts_with(['{', '[', '/']) {
            true if jsonc::convert(text, &json::FILE).is_ok() => Format::Jsonc,
            true => Format::Json,
            false => Format::Yaml,
        }
    }

    /// The format of a media type, e.g. `application/yaml`.
    pub fn of_media_type(essence: &str) -> Option<Format> {
        match essence.to_ascii_lowercase().as_str() {
            "application/json" => Some(Format::Json),
            "application/jsonc" => Some(Format::Jsonc),
            "application/yaml" | "application/x-yaml" | "text/yaml" | "text/x-yaml" => Some(Format::Yaml),
            _ => None,
        }
    }

    /// Makes JSON of a deploy file, or of any text as large as one.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong with the text, and where: its size, its depth, its grammar, a key that an object has
    /// twice.
    pub fn file_to_json(self, text: &str) -> Result<Converted, Box<Unreadable>> {
        self.convert(text, &json::FILE)
    }

    pub(super) fn convert(self, text: &str, document: &Document) -> Result<Converted, Box<Unreadable>> {
        document.check_size(text).map_err(|problem| Unreadable { problem: *problem, position: None })?;
        match self {
            Format::Json => match json::parse(text, document) {
                Ok(_) => Ok(Converted { json: text.to_owned(), places: Places::of_json(text) }),
                Err(problem) => Err(Box::new(Unreadable { problem: *problem, position: None })),
            },
            Format::Jsonc => jsonc::convert(text, document),
            Format::Yaml => yaml::convert(text, document),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Json => "JSON",
            Format::Jsonc => "JSON with comments",
            Format::Yaml => "YAML",
        })
    }
}

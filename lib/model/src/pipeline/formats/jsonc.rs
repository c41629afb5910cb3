//! JSON with comments and trailing commas, and nothing else beyond JSON.

use super::json_writer::JsonWriter;
use super::{Converted, Position, Unreadable};
use crate::pipeline::json::Document;
use crate::pipeline::problem::ProblemCode;
use jsonc_parser::ast::Value;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

pub fn convert(text: &str, document: &Document) -> Result<Converted, Box<Unreadable>> {
    // The parser goes down by recursion, so the depth is looked at first.
    if let Some(at) = deeper_than(text, document.depth()) {
        let message = format!("{} is nested deeper than {} levels", document.what(), document.depth());
        let hint = "flatten the config there";
        return Err(Unreadable::new(ProblemCode::TooDeep, message, hint, Position::of_byte(text, at)).into());
    }
    let refused = |cause: &str, at: Position| {
        let cause = lower_first(cause);
        let message = format!("{} is not JSON with comments: {cause}", document.what());
        Unreadable::new(ProblemCode::NotJson, message, "correct the text there", at)
    };
    let options = ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let parsed = parse_to_ast(text, &CollectOptions::default(), &options).map_err(|error| {
        let at = Position { line: error.line_display(), column: error.column_display() };
        refused(&error.kind().to_string(), at)
    })?;
    let end = Position::of_byte(text, text.len());
    let value = parsed.value.ok_or_else(|| refused("there is nothing in it", end))?;
    let mut writing = Writing { lines: Lines::of(text), writer: JsonWriter::new(document) };
    writing.value(&value).map_err(|failed| match failed {
        Failed::With(unreadable) => unreadable,
        Failed::Number(at) => refused("invalid number", at).into(),
    })?;
    Ok(writing.writer.finish())
}

struct Writing<'a> {
    lines: Lines<'a>,
    writer: JsonWriter<'a>,
}

enum Failed {
    With(Box<Unreadable>),
    Number(Position),
}

impl From<Box<Unreadable>> for Failed {
    fn from(unreadable: Box<Unreadable>) -> Failed {
        Failed::With(unreadable)
    }
}

impl Writing<'_> {
    fn value(&mut self, value: &Value) -> Result<(), Failed> {
        let at = self.lines.position(value.range().start);
        match value {
            Value::NullKeyword(_) => self.writer.value("null", at)?,
            Value::BooleanLit(word) => self.writer.value(if word.value { "true" } else { "false" }, at)?,
            Value::NumberLit(number) => match serde_json::from_str::<serde_json::Value>(number.value) {
                Ok(serde_json::Value::Number(_)) => self.writer.value(number.value, at)?,
                _ => return Err(Failed::Number(at)),
            },
            Value::StringLit(text) => self.writer.string(&text.value, at)?,
            Value::Array(array) => {
                self.writer.begin_array(at)?;
                array.elements.iter().try_for_each(|element| self.value(element))?;
                self.writer.end(at)?;
            }
            Value::Object(object) => {
                self.writer.begin_object(at)?;
                for property in &object.properties {
                    let at = self.lines.position(property.range.start);
                    self.writer.key(property.name.as_str(), at)?;
                    self.value(&property.value)?;
                }
                self.writer.end(at)?;
            }
        }
        Ok(())
    }
}

/// Finds places in a text that are asked for in order.
struct Lines<'a> {
    text: &'a str,
    /// The byte that [`Lines::at`] is the place of.
    byte: usize,
    at: Position,
}

impl Lines<'_> {
    fn of(text: &str) -> Lines<'_> {
        Lines { text, byte: 0, at: Position { line: 1, column: 1 } }
    }

    fn position(&mut self, byte: usize) -> Position {
        if byte < self.byte {
            (self.byte, self.at) = (0, Position { line: 1, column: 1 });
        }
        for c in self.text[self.byte..byte].chars() {
            match c {
                '\n' => self.at = Position { line: self.at.line + 1, column: 1 },
                _ => self.at.column += 1,
            }
        }
        self.byte = byte;
        self.at
    }
}

/// The byte at which the nesting passes `limit`. Looks only at brackets outside strings and comments.
fn deeper_than(text: &str, limit: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0usize, 0usize);
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                at += 1;
                while at < bytes.len() && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
            }
            // A line ends with any of its ends; to see one too early only ends the look for brackets in comments later.
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                while at < bytes.len() && !matches!(bytes[at], b'\n' | b'\r') {
                    at += 1;
                }
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at = text[at + 2..].find("*/").map_or(bytes.len(), |end| at + 2 + end + 1);
            }
            b'{' | b'[' if depth == limit => return Some(at),
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    None
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

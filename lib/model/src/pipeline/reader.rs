//! Collects problems while a pipeline is read, and reads the values that every part of it is made of.

use super::Found;
use super::problem::{Problem, ProblemCode, quoted};
use serde_json::{Map, Value};

/// Collects problems, and knows which component is being read.
#[derive(Default)]
pub struct Reader {
    pub problems: Vec<Found>,
    /// The position and the id of the component that is being read.
    pub at: Option<usize>,
    pub id: Option<String>,
}

impl Reader {
    /// Reports a problem at `path` below the component that is being read, or below the pipeline.
    pub fn report(&mut self, code: ProblemCode, path: &str, message: impl Into<String>, hint: impl Into<String>) {
        let field = self.at.map_or_else(|| path.to_owned(), |at| format!("/components/{at}{path}"));
        let mut problem = Problem::new(code, message, hint).at(field);
        problem.component = self.id.clone();
        self.problems.push(Found { at: self.at, problem });
    }

    /// How messages call what is being read.
    pub fn subject(&self) -> String {
        match (&self.id, self.at) {
            (Some(id), _) => format!("component {}", quoted(id)),
            (None, Some(at)) => format!("component {}", at + 1),
            (None, None) => "pipeline".into(),
        }
    }

    pub fn wrong_type(&mut self, path: &str, field: &str, value: &Value, expected: &str, hint: &str) {
        let message = format!("{} has {} as `{field}`, expected {expected}", self.subject(), kind_of(value));
        self.report(ProblemCode::WrongType, path, message, hint);
    }

    pub fn missing(&mut self, path: &str, field: &str, hint: &str) {
        let message = format!("{} has no `{field}`", self.subject());
        self.report(ProblemCode::MissingField, path, message, hint);
    }

    /// The entries of an optional list of objects; those that cannot be read are reported and left out.
    pub fn list<T>(
        &mut self,
        fields: &Map<String, Value>,
        field: &str,
        read: impl Fn(&mut Reader, &str, &Map<String, Value>) -> Option<T>,
    ) -> Vec<T> {
        let hint = "write a list of objects, or leave it out";
        let path = format!("/{field}");
        let entries = match fields.get(field) {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Array(entries)) => entries,
            Some(other) => {
                self.wrong_type(&path, field, other, "a list", hint);
                return Vec::new();
            }
        };
        let mut read_entry = |(at, entry): (usize, &Value)| match entry {
            Value::Object(entry) => read(self, &format!("{path}/{at}"), entry),
            other => {
                self.wrong_type(&format!("{path}/{at}"), &format!("{field}[{at}]"), other, "an object", hint);
                None
            }
        };
        entries.iter().enumerate().filter_map(&mut read_entry).collect()
    }

    /// A required, non-empty string.
    pub fn text(&mut self, fields: &Map<String, Value>, path: &str, field: &str, hint: &str) -> Option<String> {
        let at = format!("{path}/{field}");
        // `/input/0` and `lane` are called `input[0].lane`.
        let name = match path.trim_start_matches('/').split_once('/') {
            Some((list, index)) => format!("{list}[{index}].{field}"),
            None => field.to_owned(),
        };
        match fields.get(field) {
            None => self.missing(&at, &name, hint),
            Some(Value::String(text)) if text.is_empty() => {
                let message = format!("{} has an empty `{name}`", self.subject());
                self.report(ProblemCode::InvalidValue, &at, message, hint);
            }
            Some(Value::String(text)) => return Some(text.clone()),
            Some(other) => self.wrong_type(&at, &name, other, "a string", hint),
        }
        None
    }
}

/// What a value is, with its article.
pub fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

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
        list: &'static str,
        read: impl Fn(&mut Reader, Entry, &Map<String, Value>) -> Option<T>,
    ) -> Vec<T> {
        let hint = "write a list of objects, or leave it out";
        let entries = match fields.get(list) {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Array(entries)) => entries,
            Some(other) => {
                self.wrong_type(&format!("/{list}"), list, other, "a list", hint);
                return Vec::new();
            }
        };
        let mut read_entry = |(at, entry): (usize, &Value)| match entry {
            Value::Object(fields) => read(self, Some((list, at)), fields),
            other => {
                self.wrong_type(&format!("/{list}/{at}"), &format!("{list}[{at}]"), other, "an object", hint);
                None
            }
        };
        entries.iter().enumerate().filter_map(&mut read_entry).collect()
    }

    /// A required, non-empty string, of the component itself or of an entry of one of its lists.
    pub fn text(&mut self, fields: &Map<String, Value>, entry: Entry, field: &str, hint: &str) -> Option<String> {
        let value = fields.get(field);
        if let Some(Value::String(text)) = value
            && !text.is_empty()
        {
            return Some(text.clone());
        }
        let (at, name) = match entry {
            Some((list, index)) => (format!("/{list}/{index}/{field}"), format!("{list}[{index}].{field}")),
            None => (format!("/{field}"), field.to_owned()),
        };
        match value {
            None => self.missing(&at, &name, hint),
            Some(Value::String(_)) => {
                let message = format!("{} has an empty `{name}`", self.subject());
                self.report(ProblemCode::InvalidValue, &at, message, hint);
            }
            Some(other) => self.wrong_type(&at, &name, other, "a string", hint),
        }
        None
    }
}

/// The list and the position in it that is being read, or `None` for the component itself.
pub type Entry = Option<(&'static str, usize)>;

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

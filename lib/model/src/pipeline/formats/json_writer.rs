//! Writes JSON text value by value: bounded in size and depth, no key twice in an object, and with the place that each
//! value came from.

use super::{Position, Unreadable};
use crate::pipeline::json::Document;
use crate::pipeline::problem::{ProblemCode, quoted};
use std::collections::HashSet;
use std::ops::Range;

/// Where values stand: the byte in the JSON, and the place in the original, in order.
#[derive(Clone, Debug, Default)]
pub struct Places(Vec<(usize, Position)>);

impl Places {
    /// Those of a text that is JSON already: its first value, as others are found in it.
    pub fn of_json(text: &str) -> Places {
        let start = text.len() - text.trim_start().len();
        Places(vec![(start, Position::of_byte(text, start))])
    }

    /// The place of the last value that starts at a byte or before it.
    pub fn before(&self, at: usize) -> Option<Position> {
        let after = self.0.partition_point(|(start, _)| *start <= at);
        self.0.get(after.checked_sub(1)?).map(|(_, position)| *position)
    }
}

/// JSON that grows.
pub struct JsonWriter<'a> {
    document: &'a Document,
    out: String,
    places: Places,
    open: Vec<Container>,
}

struct Container {
    /// The keys so far; `None` for an array.
    keys: Option<HashSet<String>>,
    is_empty: bool,
    has_key: bool,
}

impl<'a> JsonWriter<'a> {
    pub fn new(document: &'a Document) -> JsonWriter<'a> {
        JsonWriter { document, out: String::new(), places: Places::default(), open: Vec::new() }
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Where the next value starts.
    pub fn next_value(&self) -> usize {
        let has_comma = self.open.last().is_some_and(|container| container.keys.is_none() && !container.is_empty);
        self.out.len() + usize::from(has_comma)
    }

    /// Whether an object waits for a key.
    pub fn wants_key(&self) -> bool {
        self.open.last().is_some_and(|container| container.keys.is_some() && !container.has_key)
    }

    pub fn key(&mut self, key: &str, at: Position) -> Result<(), Box<Unreadable>> {
        let what = self.document.what();
        let container = self.open.last_mut().expect("a key stands in an object");
        let keys = container.keys.as_mut().expect("a key stands in an object");
        if !keys.insert(key.to_owned()) {
            let message = format!("{what} has the key {} twice", quoted(key));
            let hint = "remove one of the two, or rename it";
            return Err(Unreadable::new(ProblemCode::DuplicateKey, message, hint, at).into());
        }
        container.has_key = true;
        let comma = if std::mem::replace(&mut container.is_empty, false) { "" } else { "," };
        self.push(comma, at)?;
        self.push(&json_string(key), at)?;
        self.push(":", at)
    }

    /// Writes a value's text: a number, a word, a string in quotes.
    pub fn value(&mut self, json: &str, at: Position) -> Result<(), Box<Unreadable>> {
        self.begin_value(at)?;
        self.push(json, at)
    }

    pub fn string(&mut self, text: &str, at: Position) -> Result<(), Box<Unreadable>> {
        self.value(&json_string(text), at)
    }

    pub fn begin_object(&mut self, at: Position) -> Result<(), Box<Unreadable>> {
        self.begin("{", Some(HashSet::new()), at)
    }

    pub fn begin_array(&mut self, at: Position) -> Result<(), Box<Unreadable>> {
        self.begin("[", None, at)
    }

    pub fn end(&mut self, at: Position) -> Result<(), Box<Unreadable>> {
        let container = self.open.pop().expect("what ends has begun");
        self.push(if container.keys.is_some() { "}" } else { "]" }, at)
    }

    /// Repeats a value that was written before.
    pub fn repeat(&mut self, value: Range<usize>, at: Position) -> Result<(), Box<Unreadable>> {
        self.begin_value(at)?;
        if self.out.len() + value.len() > self.document.bytes() {
            return Err(self.too_large(at));
        }
        let depth = self.open.len() + depth(&self.out[value.clone()]);
        if depth > self.document.depth() {
            return Err(self.too_deep(at));
        }
        self.out.extend_from_within(value);
        Ok(())
    }

    pub fn finish(self) -> super::Converted {
        super::Converted { json: self.out, places: self.places }
    }

    fn begin(&mut self, bracket: &str, keys: Option<HashSet<String>>, at: Position) -> Result<(), Box<Unreadable>> {
        self.begin_value(at)?;
        if self.open.len() == self.document.depth() {
            return Err(self.too_deep(at));
        }
        self.open.push(Container { keys, is_empty: true, has_key: false });
        self.push(bracket, at)
    }

    fn begin_value(&mut self, at: Position) -> Result<(), Box<Unreadable>> {
        if let Some(container) = self.open.last_mut() {
            container.has_key = false;
            if container.keys.is_none() && !std::mem::replace(&mut container.is_empty, false) {
                self.push(",", at)?;
            }
        }
        self.places.0.push((self.out.len(), at));
        Ok(())
    }

    fn push(&mut self, text: &str, at: Position) -> Result<(), Box<Unreadable>> {
        if self.out.len() + text.len() > self.document.bytes() {
            return Err(self.too_large(at));
        }
        self.out.push_str(text);
        Ok(())
    }

    fn too_large(&self, at: Position) -> Box<Unreadable> {
        let (what, limit) = (self.document.what(), self.document.bytes());
        let message = format!("{what} becomes more than {limit} bytes of JSON");
        let hint = "use fewer aliases (`*name`), and move large texts out of the configs";
        Unreadable::new(ProblemCode::TooLarge, message, hint, at).into()
    }

    fn too_deep(&self, at: Position) -> Box<Unreadable> {
        let message = format!("{} is nested deeper than {} levels", self.document.what(), self.document.depth());
        Unreadable::new(ProblemCode::TooDeep, message, "flatten the config there", at).into()
    }
}

fn json_string(text: &str) -> String {
    serde_json::to_string(text).expect("a text is JSON")
}

/// How deep a text of JSON is nested.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0usize, 0usize, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth -= 1,
            _ => {}
        }
    }
    deepest
}

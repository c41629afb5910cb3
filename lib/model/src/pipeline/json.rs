//! Reads JSON from strangers: size and depth first, without recursion, then a parse that refuses repeated keys.

use super::limits;
use super::problem::{Problem, ProblemCode, quoted};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// What is read, and how large it may be.
pub struct Document {
    what: &'static str,
    bytes: usize,
    bytes_text: &'static str,
    depth: usize,
}

impl Document {
    /// What people call it.
    pub fn what(&self) -> &'static str {
        self.what
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn depth(&self) -> usize {
        self.depth
    }

    pub fn check_size(&self, text: &str) -> Result<(), Box<Problem>> {
        let Document { what, bytes, bytes_text, .. } = self;
        if text.len() <= *bytes {
            return Ok(());
        }
        let message = format!("{what} has {} bytes, the limit is {bytes_text} ({bytes} bytes)", text.len());
        let hint = "move large texts out of the configs, or split the pipeline";
        Err(Box::new(Problem::new(ProblemCode::TooLarge, message, hint)))
    }
}

pub const PIPELINE: Document =
    Document { what: "pipeline", bytes: limits::TEXT_BYTES, bytes_text: "4 MiB", depth: limits::JSON_DEPTH };

/// The wrapper adds one level to the pipeline in it.
pub const FILE: Document =
    Document { what: "deploy file", bytes: limits::FILE_BYTES, bytes_text: "6 MiB", depth: limits::JSON_DEPTH + 1 };

pub fn parse(text: &str, document: &Document) -> Result<Value, Box<Problem>> {
    let Document { what, depth, .. } = document;
    let refuse = |code, message, hint: &str| Err(Box::new(Problem::new(code, message, hint)));
    document.check_size(text)?;
    if let Some(line) = deeper_than(text, *depth) {
        let message = format!("{what} is nested deeper than {depth} levels at line {line}");
        return refuse(ProblemCode::TooDeep, message, "flatten the config there");
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Strict.deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    value.or_else(|error| {
        let error = error.to_string();
        if let Some(key) = error.strip_prefix(REPEATED) {
            let message = format!("{what} has the key {key}");
            return refuse(ProblemCode::DuplicateKey, message, "remove one of the two, or rename it");
        }
        refuse(
            ProblemCode::NotJson,
            format!("{what} is not JSON: {error}"),
            "correct the text there; comments and trailing commas are not JSON",
        )
    })
}

/// The line at which the nesting of a text passes `limit`. Looks only at brackets outside strings.
fn deeper_than(text: &str, limit: usize) -> Option<usize> {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' if depth == limit => return Some(1 + text[..at].matches('\n').count()),
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// Marks our own error among those of `serde_json`, which has no other way to carry it.
const REPEATED: &str = "\u{1}repeated ";

/// Makes a [`Value`], and refuses an object that has a key twice: readers differ in which of the two they take.
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Strict)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if object.contains_key(&key) {
                return Err(A::Error::custom(format!("{REPEATED}{} twice", quoted(&key))));
            }
            object.insert(key, entries.next_value_seed(Strict)?);
        }
        Ok(Value::Object(object))
    }
}

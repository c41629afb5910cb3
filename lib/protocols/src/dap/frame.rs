//! The frames of the wire: what a client sent, and the single line of JSON that it is answered with.
//!
//! Reads bytes from strangers: nothing here recurses by what they hold, and no error repeats an argument's value.

use super::failure::Failure;
use super::transport::Transport;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Largest frame, in bytes: what the clients accept themselves.
pub const FRAME_LIMIT: usize = 250 * 1024 * 1024;
/// Objects and arrays inside each other. A pipeline may have 100, and lies two levels below the frame.
const DEPTH_LIMIT: usize = 102;
/// Longest name of a command that is repeated to its sender.
const NAME_SHOWN: usize = 80;

/// A frame as a transport received it.
#[derive(Clone, Debug)]
pub enum Frame {
    Text(Bytes),
    /// JSON, and if there is a line break, what follows the first one is `arguments.data`.
    Binary(Bytes),
}

impl Frame {
    pub fn len(&self) -> usize {
        let (Frame::Text(bytes) | Frame::Binary(bytes)) = self;
        bytes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What a frame turned out to be.
#[derive(Debug)]
pub enum FrameContent {
    Request(Request),
    /// A response or an event: nothing is asked.
    Nothing,
    /// A request that cannot be read, but can be answered.
    Refused(Head, Failure),
    /// Not even that; why, in words for the close frame.
    Unreadable(&'static str),
}

/// What an answer repeats of its request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub seq: u64,
    pub command: String,
}

#[derive(Debug)]
pub struct Request {
    pub head: Head,
    pub arguments: Arguments,
}

/// The arguments of a request, each as it was sent. `Debug` shows no values: some are keys.
#[derive(Default)]
pub struct Arguments {
    fields: BTreeMap<String, Box<RawValue>>,
    /// What followed the header of a binary frame.
    pub data: Option<Bytes>,
}

impl std::fmt::Debug for Arguments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.fields.keys()).finish()
    }
}

impl Arguments {
    /// An argument as it was sent; `null` is one, too.
    pub fn raw(&self, name: &str) -> Option<&RawValue> {
        self.fields.get(name).map(Box::as_ref)
    }

    /// Puts a text in place of an argument.
    pub fn set_text(&mut self, name: &str, text: &str) {
        let json = serde_json::value::to_raw_value(text).expect("a text can be written as JSON");
        self.fields.insert(name.to_owned(), json);
    }

    /// Takes an argument out.
    pub fn take(&mut self, name: &str) -> Option<Box<RawValue>> {
        self.fields.remove(name)
    }

    /// A text; `None` when it is absent or `null`.
    ///
    /// # Errors
    /// It is of another type.
    pub fn text(&self, name: &str) -> Result<Option<String>, Failure> {
        match self.raw(name).map(RawValue::get) {
            None | Some("null") => Ok(None),
            Some(json) => {
                serde_json::from_str(json).map(Some).map_err(|_| Failure::new(format!("{name} must be a string")))
            }
        }
    }
}

/// Every field is read as it comes, so that one of the wrong type does not hide the number to answer to.
#[derive(Deserialize)]
struct Outer<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow, default)]
    seq: Option<&'a RawValue>,
    #[serde(borrow, default)]
    command: Option<&'a RawValue>,
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
    /// Old clients put a task's token here.
    #[serde(borrow, default)]
    token: Option<&'a RawValue>,
}

/// Reads a frame.
pub fn read(frame: Frame) -> FrameContent {
    if frame.len() > FRAME_LIMIT {
        return FrameContent::Unreadable("the frame is larger than 250 MiB");
    }
    let (json, data) = match frame {
        Frame::Text(bytes) => (bytes, None),
        Frame::Binary(bytes) => match bytes.iter().position(|byte| *byte == b'\n') {
            Some(at) => (bytes.slice(..at), Some(bytes.slice(at + 1..))),
            None => (bytes, None),
        },
    };
    match std::str::from_utf8(&json) {
        Ok(text) => of_json(text, data),
        Err(_) => FrameContent::Unreadable("the frame is not UTF-8"),
    }
}

fn of_json(text: &str, data: Option<Bytes>) -> FrameContent {
    let Ok(outer) = serde_json::from_str::<Outer>(text) else {
        return FrameContent::Unreadable("the frame is not a JSON object");
    };
    if value::<Cow<str>>(outer.kind).is_some_and(|kind| kind != "request") {
        return FrameContent::Nothing;
    }
    let Some(seq) = value::<u64>(outer.seq) else {
        return FrameContent::Unreadable("a request has a whole number as `seq`");
    };
    let Some(command) = value::<String>(outer.command) else {
        return FrameContent::Refused(Head { seq, command: String::new() }, Failure::new("command must be a string"));
    };
    let head = Head { seq, command };
    if is_deeper_than(text, DEPTH_LIMIT) {
        let failure = Failure::new(format!("the request is nested deeper than {DEPTH_LIMIT} levels"));
        return FrameContent::Refused(head, failure);
    }
    let fields = match outer.arguments.map(RawValue::get) {
        None | Some("null") => Some(BTreeMap::new()),
        Some(json) => serde_json::from_str(json).ok(),
    };
    let Some(fields) = fields else {
        return FrameContent::Refused(head, Failure::new("arguments must be an object"));
    };
    let mut arguments = Arguments { fields, data };
    if let Some(token) = outer.token.filter(|token| token.get() != "null") {
        arguments.fields.entry("token".to_owned()).or_insert_with(|| token.to_owned());
    }
    FrameContent::Request(Request { head, arguments })
}

fn value<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Option<T> {
    serde_json::from_str(raw?.get()).ok()
}

/// Looks only at brackets outside of strings; the text is known to be JSON.
fn is_deeper_than(text: &str, limit: usize) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' if depth == limit => return true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// What a command answers: a JSON text, or nothing.
pub type Body = Option<Box<RawValue>>;

#[derive(Serialize)]
struct Response<'a> {
    r#type: &'static str,
    seq: u64,
    request_seq: u64,
    command: &'a str,
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
}

/// The answer to a request, as one line.
pub fn answer(seq: u64, head: &Head, outcome: &Result<Body, Failure>, transport: &Transport) -> String {
    let failure = outcome.as_ref().err();
    let response = Response {
        r#type: "response",
        seq,
        request_seq: head.seq,
        command: &head.command,
        success: failure.is_none(),
        body: outcome.as_ref().ok().and_then(|body| body.as_deref()),
        message: failure.map(|failure| failure.message.as_str()),
        code: failure.and_then(|failure| failure.code),
    };
    let text = serde_json::to_string(&response).expect("texts, numbers and JSON can be written as JSON");
    if text.len() > transport.limit {
        return answer(seq, head, &Err(transport.too_large()), transport);
    }
    one_line(text)
}

/// An event that a client subscribed to, as one line.
pub fn event(seq: u64, name: &str, body: &serde_json::Value) -> String {
    serde_json::json!({"type": "event", "seq": seq, "event": name, "body": body}).to_string()
}

/// A pipeline comes back with the line breaks that it was sent with. Within JSON's strings there are none.
fn one_line(text: String) -> String {
    if text.contains(['\n', '\r']) { text.replace(['\n', '\r'], " ") } else { text }
}

/// The start of a command's name, for an error message.
pub fn shown(name: &str) -> String {
    let start: String = name.chars().take(NAME_SHOWN).collect();
    let rest = if start.len() < name.len() { "…" } else { "" };
    format!("{}{rest}", start.escape_debug())
}

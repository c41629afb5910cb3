//! What must hold of any bytes, for each reader of texts from outside.
//!
//! A reader takes them or refuses them with a reason and a place within them, and what it took reads the same when it is written
//! again. `tests/fuzz` hunts for bytes that break this; `tests/corpus` keeps those that were worth keeping.

use http::HeaderMap;
use http::header::HeaderValue;
use jiff::Timestamp;
use tidemill_engine::catalogue;
use tidemill_model::pipeline::{Pipeline, unwrap_file};
use tidemill_model::schedule::Schedule;
use tidemill_plan::{Plan, Start, Target, TextKind, TextProblem};
use tidemill_protocols::dap::Transport;
use tidemill_protocols::dap::frame::{self, Frame, FrameContent};
use tidemill_protocols::rest::Request;
use tidemill_protocols::sse::last_event_id;
use tidemill_store::Cursor;

/// Holds one reader to its promise; panics if it breaks it.
pub type Reader = fn(&[u8]);

/// Every reader, by the name of its fuzz target and of its folder in the corpus.
pub const READERS: [(&str, Reader); 8] = [
    ("cursor", cursor),
    ("dap_frame", dap_frame),
    ("event_id", event_id),
    ("jq", jq),
    ("pipeline", pipeline),
    ("schedule", schedule),
    ("template", template),
    ("text", text),
];

/// What a list gives as `next`.
pub fn cursor(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Cursor::decode(text) {
        Ok(cursor) => assert_eq!(cursor.encode(), text, "a cursor has one spelling"),
        Err(invalid) => assert!(!invalid.to_string().is_empty()),
    }
}

/// A frame of RocketRide's clients, as text and as bytes.
pub fn dap_frame(bytes: &[u8]) {
    for received in [Frame::Text(bytes.to_vec().into()), Frame::Binary(bytes.to_vec().into())] {
        let (head, outcome) = match frame::read(received) {
            FrameContent::Request(request) => (request.head, Ok(None)),
            FrameContent::Refused(head, failure) => (head, Err(failure)),
            FrameContent::Nothing | FrameContent::Unreadable(_) => continue,
        };
        let answer = frame::answer(1, &head, &outcome, &Transport::SOCKET);
        assert!(!answer.contains(['\n', '\r']), "an answer is one line: {answer}");
        let read: serde_json::Value = serde_json::from_str(&answer).expect("an answer is JSON");
        assert_eq!(read["request_seq"].as_u64(), Some(head.seq), "{answer}");
    }
}

/// The id with which a reader of an event stream comes again.
pub fn event_id(bytes: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(bytes) else { return };
    let headers = HeaderMap::from_iter([(http::header::HeaderName::from_static("last-event-id"), value.clone())]);
    let (method, path, query) = (http::Method::GET, Vec::new(), Vec::new());
    let request = Request { method, path, query, headers, body: bytes::Bytes::new(), peer: None };
    if let Some(id) = last_event_id(&request) {
        let text = value.to_str().expect("a number is ASCII").trim().trim_start_matches('+').trim_start_matches('0');
        assert_eq!(if text.is_empty() { "0" } else { text }, id.to_string());
    }
}

pub fn jq(bytes: &[u8]) {
    checked(TextKind::Jq, bytes);
}

/// A pipeline or a file of one, in any of the formats, compiled as far as it goes.
pub fn pipeline(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(file) = unwrap_file(text) {
        assert!(!file.pipeline_text.is_empty());
    }
    match Pipeline::parse(text) {
        Ok(pipeline) => assert_eq!(pipeline.text(), text, "the text is kept as it was sent"),
        Err(problems) => assert!(!problems.is_empty(), "a refusal has a reason"),
    }
    match tidemill_plan::compile_text(text, catalogue(), &target()) {
        Ok((_, compiled)) => {
            let written = serde_json::to_string(&compiled.plan).expect("a plan is written");
            let read: Plan = serde_json::from_str(&written).expect("what was written can be read");
            assert_eq!(serde_json::to_string(&read).expect("it is written again"), written);
        }
        Err(problems) => assert!(!problems.is_empty() && problems.iter().all(|problem| !problem.message.is_empty())),
    }
}

pub fn schedule(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(schedule) = Schedule::parse(text) else { return };
    let canonical = Schedule::parse(&schedule.canonical()).expect("the normal form can be read");
    assert_eq!(canonical.canonical(), schedule.canonical(), "the normal form is one");
    assert_eq!(schedule.eventbridge().is_empty(), schedule.is_manual());
    let mut before = Timestamp::UNIX_EPOCH;
    for tick in schedule.ticks_after(before).take(3) {
        assert!(tick > before && schedule.matches(tick), "{tick} comes after {before}");
        assert_eq!(canonical.next_tick(before), Some(tick));
        before = tick;
    }
}

pub fn template(bytes: &[u8]) {
    checked(TextKind::Template, bytes);
}

/// Any other kind of text in a config, by the first byte.
pub fn text(bytes: &[u8]) {
    if let [kind, text @ ..] = bytes {
        checked(TextKind::ALL[usize::from(*kind) % TextKind::ALL.len()], text);
    }
}

fn checked(kind: TextKind, bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Err(TextProblem { message, offset, .. }) = catalogue().check(kind, text, &target()) else { return };
    assert!(!message.is_empty());
    assert!(offset.is_none_or(|offset| text.is_char_boundary(offset)), "{offset:?} is a place in the text");
}

fn target() -> Target<'static> {
    Target { local: true, readable: None, private: None, start: Start::default(), source: None }
}

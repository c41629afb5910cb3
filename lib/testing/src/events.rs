//! A stream of events, read as it comes.

use axum::body::BodyDataStream;
use futures::StreamExt;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

/// A stream of events from the plane.
pub struct Events {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub(crate) body: BodyDataStream,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub id: Option<u64>,
    pub name: String,
    pub data: Value,
}

impl Events {
    /// The next event, or the end of the stream. Each part of the body has to be one event.
    pub async fn next(&mut self) -> Option<Event> {
        let part = self.body.next().await?.expect("a body in memory does not break");
        let text = String::from_utf8(part.to_vec()).expect("events are text");
        assert!(text.is_ascii() && text.ends_with("\n\n") && text.matches("\n\n").count() == 1, "no event: {text:?}");
        let mut event = Event { id: None, name: String::new(), data: Value::Null };
        for line in text.trim_end().lines() {
            match line.split_once(": ").expect("a line has a name") {
                ("id", id) => event.id = Some(id.parse().expect("an id is a number")),
                ("event", name) => event.name = name.to_owned(),
                ("data", data) => event.data = serde_json::from_str(data).expect("data is JSON"),
                (other, _) => panic!("`{other}` is no field of ours"),
            }
        }
        Some(event)
    }

    /// All that is left.
    pub async fn rest(mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }
}

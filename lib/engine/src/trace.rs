//! The trace of an object's way through the plan: which component took which value, and the messages that components
//! send to the object's sender. Bounded per step and free of secrets, as the log is.

use crate::log::shorten;
use crate::masks::Masks;
use crate::value::Value;
use futures::channel::mpsc::UnboundedSender;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Tree, json};
use std::sync::Arc;
use tidemill_model::lane::Lane;
use tidemill_model::task::Trace;

/// Events kept of one step.
pub const EVENT_LIMIT: usize = 1_000;
/// Bytes of values and messages kept of one step.
const BYTE_LIMIT: usize = 64 * 1024;
/// Bytes of one value, or of one message.
const SUMMARY_LIMIT: usize = 1024;
const FULL_LIMIT: usize = 16 * 1024;
const MESSAGE_LIMIT: usize = 4 * 1024;

/// Something that happened to an object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub at: Timestamp,
    pub component: String,
    #[serde(flatten)]
    pub what: EventKind,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum EventKind {
    /// The component takes a value.
    Enter {
        lane: Lane,
        /// The value, cut; only from the level `summary` on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        data: Option<Tree>,
    },
    /// It is done with it.
    Leave {
        lane: Lane,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// The component sends a message.
    Message { kind: String, data: Tree },
}

/// Events in their order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TraceEvents {
    pub events: Vec<Event>,
    /// Events beyond the limit, and values that were left out because of it.
    pub dropped: usize,
}

impl TraceEvents {
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Adds what came after.
    pub fn extend(&mut self, next: TraceEvents) {
        self.dropped += next.dropped;
        self.events.extend(next.events);
    }
}

/// Writes the trace.
pub(crate) struct Recorder {
    level: Trace,
    /// Hears messages at once.
    listener: Option<UnboundedSender<Event>>,
    masks: Arc<Masks>,
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    traced: TraceEvents,
    bytes: usize,
}

impl Recorder {
    pub fn new(
        level: Trace,
        listener: Option<UnboundedSender<Event>>,
        masks: Arc<Masks>,
        now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    ) -> Recorder {
        Recorder { level, listener, masks, now, traced: TraceEvents::default(), bytes: 0 }
    }

    pub fn enter(&mut self, component: &str, lane: Lane, value: &Value) {
        let limit = match self.level {
            Trace::None => return,
            Trace::Metadata => None,
            Trace::Summary => Some(SUMMARY_LIMIT),
            Trace::Full => Some(FULL_LIMIT),
        };
        if self.is_full() {
            self.traced.dropped += 1;
            return;
        }
        let data = limit.map(|limit| self.summary(value, limit));
        self.add(component, EventKind::Enter { lane, data });
    }

    pub fn leave(&mut self, component: &str, lane: Lane, error: Option<&str>) {
        if self.level == Trace::None {
            return;
        }
        let error = error.map(|message| shorten(&self.masks.apply(message), MESSAGE_LIMIT));
        self.add(component, EventKind::Leave { lane, error });
    }

    /// Records a message, whatever the level: the pipeline asks for it.
    pub fn message(&mut self, component: &str, kind: &str, value: &Value) {
        let data = self.message_data(value);
        let what = EventKind::Message { kind: self.masks.apply(kind), data };
        if let Some(listener) = self.listener.as_ref().filter(|_| !self.is_full()) {
            let event = Event { at: (self.now)(), component: component.to_owned(), what: what.clone() };
            // The listener may have gone.
            let _ = listener.unbounded_send(event);
        }
        self.add(component, what);
    }

    pub fn take(&mut self) -> TraceEvents {
        self.bytes = 0;
        std::mem::take(&mut self.traced)
    }

    fn is_full(&self) -> bool {
        self.traced.events.len() >= EVENT_LIMIT || self.bytes >= BYTE_LIMIT
    }

    fn add(&mut self, component: &str, what: EventKind) {
        if self.is_full() {
            self.traced.dropped += 1;
            return;
        }
        self.bytes += match &what {
            EventKind::Enter { data, .. } => data.as_ref().map_or(0, |data| data.to_string().len()),
            EventKind::Leave { error, .. } => error.as_ref().map_or(0, String::len),
            EventKind::Message { data, .. } => data.to_string().len(),
        };
        self.traced.events.push(Event { at: (self.now)(), component: component.to_owned(), what });
    }

    /// A value as people read it. It is masked before it is cut, so that no half of a secret survives.
    fn summary(&self, value: &Value, limit: usize) -> Tree {
        match (value, value.as_text()) {
            (Value::Bytes { mime, bytes }, Err(_)) => json!({"mime": &**mime, "bytes": bytes.len()}),
            (_, Ok(text)) => json!({"text": shorten(&self.masks.apply(&text), limit), "bytes": text.len()}),
            (_, Err(_)) => json!({}),
        }
    }

    /// An object as it is, if it is small; anything else as a text.
    fn message_data(&self, value: &Value) -> Tree {
        let text = value.as_text().unwrap_or_default();
        match serde_json::from_str(&text) {
            Ok(Tree::Object(fields)) if matches!(value, Value::Json(_)) && text.len() <= MESSAGE_LIMIT => {
                let mut data = Tree::Object(fields);
                self.masks.apply_tree(&mut data);
                data
            }
            _ => json!({"text": shorten(&self.masks.apply(&text), MESSAGE_LIMIT)}),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorder(level: Trace) -> Recorder {
        Recorder::new(level, None, Arc::new(Masks::default()), Arc::new(|| Timestamp::UNIX_EPOCH))
    }

    #[test]
    fn a_step_keeps_a_thousand_events_and_counts_the_rest() {
        let mut recorder = recorder(Trace::Metadata);
        for _ in 0..EVENT_LIMIT {
            recorder.enter("a", Lane::Text, &Value::text("x"));
            recorder.leave("a", Lane::Text, None);
        }

        let traced = recorder.take();

        assert_eq!((traced.events.len(), traced.dropped), (EVENT_LIMIT, EVENT_LIMIT));
        assert_eq!(recorder.take(), TraceEvents::default());
    }

    #[test]
    fn a_step_keeps_64_kib_of_values() {
        let mut recorder = recorder(Trace::Full);
        for _ in 0..100 {
            recorder.enter("a", Lane::Text, &Value::text("é".repeat(5_000)));
            recorder.message("a", "progress", &Value::text("é".repeat(5_000)));
        }

        let traced = recorder.take();

        let kept: usize = traced.events.iter().map(|event| serde_json::to_string(event).unwrap().len()).sum();
        assert!(kept < BYTE_LIMIT + FULL_LIMIT + 2_000, "{kept}");
        assert_eq!(traced.events.len() + traced.dropped, 200);
    }
}

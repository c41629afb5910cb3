//! A stream of server-sent events, read as it arrives. <https://html.spec.whatwg.org/multipage/server-sent-events.html>

use reqwest::Response;
use std::time::Duration;

/// A stream that is silent for longer is cut: a plane sends a comment every 15 seconds.
const SILENCE: Duration = Duration::from_secs(45);

/// The events of an answer.
pub struct Events {
    response: Response,
    reader: Reader,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Event {
    pub name: String,
    pub id: Option<String>,
    pub data: String,
}

impl Events {
    pub fn of(response: Response) -> Events {
        Events { response, reader: Reader::default() }
    }

    /// The next event; `None` if the stream has ended or was cut. An event that is not whole is none.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.reader.next() {
                return Some(event);
            }
            let part = tokio::time::timeout(SILENCE, self.response.chunk()).await.ok()?.ok()??;
            self.reader.bytes.extend_from_slice(&part);
        }
    }
}

/// What has arrived and was not read.
#[derive(Default)]
struct Reader {
    bytes: Vec<u8>,
    event: Event,
}

impl Reader {
    fn next(&mut self) -> Option<Event> {
        while let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.bytes.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            match line.trim_end_matches(['\n', '\r']) {
                // A comment is followed by a blank line, too.
                "" if self.event == Event::default() => {}
                "" => return Some(std::mem::take(&mut self.event)),
                line => self.field(line),
            }
        }
        None
    }

    fn field(&mut self, line: &str) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "event" => self.event.name = value.to_owned(),
            "id" => self.event.id = Some(value.to_owned()),
            "data" if self.event.data.is_empty() => self.event.data = value.to_owned(),
            "data" => self.event.data.extend(["\n", value]),
            _comment_or_unknown => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: &str =
        ": nothing new\n\nid: 1\nevent: resource\ndata: {\"a\":\"ž\"}\n\nevent: complete\r\ndata:x\r\ndata: y\r\n\r\n";

    fn read(parts: &[&[u8]]) -> Vec<Event> {
        let mut reader = Reader::default();
        let mut events = Vec::new();
        for part in parts {
            reader.bytes.extend_from_slice(part);
            events.extend(std::iter::from_fn(|| reader.next()));
        }
        events
    }

    #[test]
    fn events_are_the_same_wherever_the_stream_is_torn() {
        let expected = [
            Event { name: "resource".into(), id: Some("1".into()), data: "{\"a\":\"ž\"}".into() },
            Event { name: "complete".into(), id: None, data: "x\ny".into() },
        ];

        for at in 0..=SENT.len() {
            let (first, second) = SENT.as_bytes().split_at(at);
            assert_eq!(read(&[first, second]), expected, "{at}");
        }
    }

    #[test]
    fn an_event_that_is_not_whole_is_none() {
        assert_eq!(read(&[&SENT.as_bytes()[..SENT.len() - 2]]).len(), 1);
    }
}

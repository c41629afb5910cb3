//! One event: lines that end with LF alone, of ASCII alone. Checkly's client knows no CRLF, and decodes each chunk by
//! itself, so that a character of several bytes could be torn.

use super::ascii;
use bytes::Bytes;
use serde::Serialize;
use std::fmt::Write;

/// An event with its data, which is JSON on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    event: &'static str,
    id: Option<u64>,
    data: String,
}

impl Frame {
    /// `data` must be something that JSON can say.
    pub fn new(event: &'static str, data: &impl Serialize) -> Frame {
        Frame { event, id: None, data: ascii::json(data) }
    }

    /// A reader that comes again says the last id that it has seen.
    pub fn with_id(mut self, id: u64) -> Frame {
        self.id = Some(id);
        self
    }

    /// As it is sent.
    pub fn written(&self) -> Bytes {
        let mut text = String::with_capacity(self.data.len() + 48);
        if let Some(id) = self.id {
            writeln!(text, "id: {id}").expect("memory takes any text");
        }
        write!(text, "event: {}\ndata: {}\n\n", self.event, self.data).expect("memory takes any text");
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_event_has_its_name_its_id_and_its_data() {
        let frame = Frame::new("resource", &json!({"logicalId": "a"})).with_id(7);

        assert_eq!(frame.written(), "id: 7\nevent: resource\ndata: {\"logicalId\":\"a\"}\n\n");
    }

    #[test]
    fn an_event_without_an_id_leaves_the_reader_at_the_last_one() {
        assert_eq!(Frame::new("progress", &json!({})).written(), "event: progress\ndata: {}\n\n");
    }

    #[test]
    fn data_of_many_lines_stays_one_line() {
        let frame = Frame::new("error", &json!({"message": "one\r\ntwo\n\nevent: complete"})).written();

        assert_eq!(frame, "event: error\ndata: {\"message\":\"one\\r\\ntwo\\n\\nevent: complete\"}\n\n");
    }
}

//! YAML 1.2 by its core schema, so that `on` and `no` are texts. An alias stands for a copy of its anchor, as far as the
//! whole stays within the size of a pipeline. What JSON cannot say is refused: other tags, infinity, keys that are no text.

use super::json_writer::JsonWriter;
use super::yaml_scalar::{Scalar, scalar};
use super::{Converted, Position, Unreadable};
use crate::pipeline::json::Document;
use crate::pipeline::problem::{ProblemCode, quoted};
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

pub fn convert(text: &str, document: &Document) -> Result<Converted, Box<Unreadable>> {
    let mut reading = Reading {
        document,
        writer: JsonWriter::new(document),
        anchors: HashMap::new(),
        open: Vec::new(),
        documents: 0,
        has_value: false,
    };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let at = position(error.marker());
            let hint = match error.info().contains("unknown anchor") {
                true => "put a text that begins with `*` or `&` in quotes, such as a schedule",
                false => "correct the text there",
            };
            reading.refused(error.info(), hint, at)
        })?;
        reading.event(event, position(&span.start))?;
    }
    if !reading.has_value {
        reading.writer.value("null", Position { line: 1, column: 1 })?;
    }
    Ok(reading.writer.finish())
}

fn position(marker: &Marker) -> Position {
    Position { line: marker.line(), column: marker.col() + 1 }
}

struct Reading<'a> {
    document: &'a Document,
    writer: JsonWriter<'a>,
    /// What was written for each anchor that is complete.
    anchors: HashMap<usize, Range<usize>>,
    /// The anchors of what is open (0 is none), and where it starts.
    open: Vec<(usize, usize)>,
    documents: usize,
    has_value: bool,
}

impl Reading<'_> {
    fn event(&mut self, event: Event, at: Position) -> Result<(), Box<Unreadable>> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    let hint = "give each pipeline its own file";
                    return Err(self.refused("a second document begins", hint, at));
                }
            }
            Event::Alias(anchor) => self.alias(anchor, at)?,
            Event::Scalar(text, style, anchor, tag) => self.scalar(&text, style, anchor, tag, at)?,
            Event::SequenceStart(anchor, tag) => {
                self.begin(anchor, tag, "seq", at)?;
                self.writer.begin_array(at)?;
            }
            Event::MappingStart(anchor, tag) => {
                self.begin(anchor, tag, "map", at)?;
                self.writer.begin_object(at)?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.writer.end(at)?;
                let (anchor, start) = self.open.pop().expect("what ends has begun");
                self.remember(anchor, start);
            }
        }
        Ok(())
    }

    fn begin(&mut self, anchor: usize, tag: Option<Cow<Tag>>, kind: &str, at: Position) -> Result<(), Box<Unreadable>> {
        self.has_value = true;
        self.must_not_be_key(at)?;
        if let Some(tag) = tag.filter(|tag| !(tag.is_yaml_core_schema() && tag.suffix == kind)) {
            return Err(self.unknown_tag(&tag, at));
        }
        self.open.push((anchor, self.writer.next_value()));
        Ok(())
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<Cow<Tag>>,
        at: Position,
    ) -> Result<(), Box<Unreadable>> {
        self.has_value = true;
        if self.writer.wants_key() {
            if text == "<<" && style == ScalarStyle::Plain {
                let hint = "write the keys out, or put the key in quotes";
                return Err(self.refused("YAML 1.2 has no merge key `<<`", hint, at));
            }
            if anchor != 0 {
                return Err(self.refused("a key has an anchor", "take the `&` away", at));
            }
            return self.writer.key(text, at);
        }
        let start = self.writer.next_value();
        let is_text = style != ScalarStyle::Plain;
        let read = match tag {
            None if is_text => Scalar::Text,
            None => scalar(text),
            Some(tag) if tag.handle.is_empty() && tag.suffix == "!" => Scalar::Text,
            Some(tag) if !tag.is_yaml_core_schema() => return Err(self.unknown_tag(&tag, at)),
            Some(tag) => match (tag.suffix.as_str(), scalar(text)) {
                ("str", _) => Scalar::Text,
                ("null", read @ Scalar::Null) | ("bool", read @ Scalar::Bool(_)) => read,
                ("int" | "float", read @ (Scalar::Number(_) | Scalar::NoNumber)) => read,
                _ => return Err(self.unknown_tag(&tag, at)),
            },
        };
        match read {
            Scalar::Null => self.writer.value("null", at)?,
            Scalar::Bool(value) => self.writer.value(if value { "true" } else { "false" }, at)?,
            Scalar::Number(number) => self.writer.value(&number, at)?,
            Scalar::Text => self.writer.string(text, at)?,
            Scalar::NoNumber => {
                let cause = format!("{} is no number that JSON has", quoted(text));
                return Err(self.refused(&cause, "put it in quotes if it is a text", at));
            }
        }
        self.remember(anchor, start);
        Ok(())
    }

    fn alias(&mut self, anchor: usize, at: Position) -> Result<(), Box<Unreadable>> {
        self.must_not_be_key(at)?;
        match self.anchors.get(&anchor).cloned() {
            Some(value) => self.writer.repeat(value, at),
            None => Err(self.refused("an alias stands inside its own anchor", "write the value out", at)),
        }
    }

    fn must_not_be_key(&self, at: Position) -> Result<(), Box<Unreadable>> {
        match self.writer.wants_key() {
            true => Err(self.refused("a key is no text", "write the key as a text", at)),
            false => Ok(()),
        }
    }

    fn remember(&mut self, anchor: usize, start: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, start..self.writer.len());
        }
    }

    fn unknown_tag(&self, tag: &Tag, at: Position) -> Box<Unreadable> {
        let cause = format!("the tag {} does not fit", quoted(&tag.to_string()));
        self.refused(&cause, "take the tag away; values are JSON's", at)
    }

    fn refused(&self, cause: &str, hint: &str, at: Position) -> Box<Unreadable> {
        let message = format!("{} is not YAML that can be read: {cause}", self.document.what());
        Unreadable::new(ProblemCode::NotJson, message, hint, at).into()
    }
}

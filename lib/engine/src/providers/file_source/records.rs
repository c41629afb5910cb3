//! The lines or rows of one open file, one at a time, and the position after each.

use super::Format;
use super::text::{Packing, Text};
use crate::component::Fault;
use crate::json::{self, Json};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

/// The platform's limit for one object.
const RECORD_LIMIT: u64 = 6_000_000;

/// Where the next record starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Bytes of the file's text in UTF-8.
    pub offset: u64,
    /// Lines before it.
    pub line: u64,
}

pub enum Record {
    Line(String),
    Row(Json),
}

/// A record and its line, counted from 1. The error is a phrase for a message; the next record can be tried.
pub type Numbered<R> = (u64, Result<R, String>);

/// How a file is read.
#[derive(Clone, Copy)]
pub struct Reading {
    pub format: Format,
    pub packing: Packing,
    pub dialect: Dialect,
    /// Mends a row: fills in what is missing, names what is too much, and replaces what is no text.
    pub pads: bool,
}

/// How rows are written.
#[derive(Clone, Copy)]
pub struct Dialect {
    /// `None` takes that of a first line such as `sep=;`, or else a comma.
    pub delimiter: Option<u8>,
    /// `None` if no value is quoted.
    pub quote: Option<u8>,
    /// Whether the first row has the names.
    pub has_header: bool,
}

/// One file's records.
pub enum Records {
    Lines { reader: BufReader<Text>, position: Position, reading: Reading },
    Rows(Box<Rows>),
}

pub struct Rows {
    reader: csv::Reader<Guarded>,
    /// Where the reader began.
    base: Position,
    names: Names,
    record: csv::ByteRecord,
    reading: Reading,
}

impl Records {
    pub fn open(file: File, name: &str, reading: Reading, position: Position) -> Result<Records, Fault> {
        let fail = |problem: io::Error| Fault::new(format!("file `{name}` cannot be read: {problem}"));
        match reading.format {
            Format::Csv => Rows::open(file, name, reading, position).map(|rows| Records::Rows(Box::new(rows))),
            _ => {
                let text = reading.packing.open(file, position.offset).map_err(fail)?;
                Ok(Records::Lines { reader: BufReader::with_capacity(64 * 1024, text), position, reading })
            }
        }
    }

    pub fn position(&self) -> Position {
        match self {
            Records::Lines { position, .. } => *position,
            Records::Rows(rows) => rows.position(),
        }
    }

    pub fn next(&mut self, name: &str) -> Result<Option<Numbered<Record>>, Fault> {
        match self {
            Records::Rows(rows) => rows.next(name),
            Records::Lines { reader, position, reading } => loop {
                let Some(line) = line(reader, position, name)? else { return Ok(None) };
                let line = text(line, *reading);
                let skips_blank = reading.format == Format::Ndjson;
                if skips_blank && line.as_ref().is_ok_and(|line| line.trim().is_empty()) {
                    continue;
                }
                return Ok(Some((position.line, line.map(Record::Line))));
            },
        }
    }
}

/// Reads one line, without its end.
fn line(reader: &mut BufReader<Text>, position: &mut Position, name: &str) -> Result<Option<Vec<u8>>, Fault> {
    let mut bytes = Vec::with_capacity(256);
    let read = reader
        .by_ref()
        .take(RECORD_LIMIT + 2)
        .read_until(b'\n', &mut bytes)
        .map_err(|problem| Fault::passing(format!("file `{name}` cannot be read: {problem}")))?;
    if read == 0 {
        return Ok(None);
    }
    position.offset += read as u64;
    position.line += 1;
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    if bytes.len() as u64 > RECORD_LIMIT {
        return Err(Fault::new(format!("line `{name}:{}` is longer than 6 MB, the limit of an object", position.line)));
    }
    if position.line == 1 && bytes.starts_with(MARK) {
        bytes.drain(..MARK.len());
    }
    Ok(Some(bytes))
}

const MARK: &[u8] = "\u{feff}".as_bytes();

fn text(bytes: Vec<u8>, reading: Reading) -> Result<String, String> {
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) if reading.pads => Ok(String::from_utf8_lossy(error.as_bytes()).into_owned()),
        Err(_) if reading.packing.encoding == encoding_rs::UTF_8 => Err("it is not UTF-8".to_owned()),
        Err(_) => Err(format!("it is not {}", reading.packing.encoding.name())),
    }
}

impl Rows {
    fn open(file: File, name: &str, reading: Reading, position: Position) -> Result<Rows, Fault> {
        let fail = |problem: io::Error| Fault::new(format!("file `{name}` cannot be read: {problem}"));
        let opened = |offset| file.try_clone().and_then(|file| reading.packing.open(file, offset)).map_err(fail);
        let (separator, start) = separator(opened(0)?).map_err(fail)?;
        let delimiter = reading.dialect.delimiter.or(separator).unwrap_or(b',');
        let rows = |text| reading.dialect.reader(delimiter, text);
        let mut first = csv::ByteRecord::new();
        let mut reader = rows(opened(start.offset)?);
        reader.read_byte_record(&mut first).map_err(|problem| Fault::new(describe(name, &problem)))?;
        let names = Names::of(&first, reading)
            .map_err(|problem| Fault::new(format!("the first row of `{name}` has no names: {problem}")))?;
        let behind = if reading.dialect.has_header { after(start, &reader) } else { start };
        let base = if position.offset > 0 { position } else { behind };
        Ok(Rows { reader: rows(opened(base.offset)?), base, names, record: csv::ByteRecord::new(), reading })
    }

    fn position(&self) -> Position {
        after(self.base, &self.reader)
    }

    fn next(&mut self, name: &str) -> Result<Option<Numbered<Record>>, Fault> {
        self.reader.get_mut().left = RECORD_LIMIT;
        match self.reader.read_byte_record(&mut self.record) {
            Ok(false) => Ok(None),
            Ok(true) => {
                let line = self.base.line + self.record.position().map_or(0, csv::Position::line);
                Ok(Some((line, self.names.row(&self.record, self.reading).map(Record::Row))))
            }
            Err(problem) => Err(Fault::new(describe(name, &problem))),
        }
    }
}

/// Where a reader stands that began at a position.
fn after(base: Position, reader: &csv::Reader<Guarded>) -> Position {
    let read = reader.position();
    Position { offset: base.offset + read.byte(), line: base.line + read.line() - 1 }
}

/// The delimiter of a first line such as `sep=;`, which spreadsheets write, and where the rows begin.
fn separator(text: Text) -> io::Result<(Option<u8>, Position)> {
    let mut line = Vec::new();
    BufReader::with_capacity(64, text).take(16).read_until(b'\n', &mut line)?;
    let unmarked = line.strip_prefix(MARK).unwrap_or(&line);
    let bare = unmarked.strip_suffix(b"\n").unwrap_or(unmarked);
    let bare = bare.strip_suffix(b"\r").unwrap_or(bare);
    match bare.split_first_chunk::<4>() {
        Some((word, [delimiter])) if word.eq_ignore_ascii_case(b"sep=") && delimiter.is_ascii() => {
            Ok((Some(*delimiter), Position { offset: line.len() as u64, line: 1 }))
        }
        _ => Ok((None, Position::default())),
    }
}

impl Dialect {
    fn reader(self, delimiter: u8, text: Text) -> csv::Reader<Guarded> {
        csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .quoting(self.quote.is_some())
            .quote(self.quote.unwrap_or(b'"'))
            .from_reader(Guarded { text, left: RECORD_LIMIT })
    }
}

/// The columns' names, each once.
struct Names(Vec<Json>);

impl Names {
    fn of(first: &csv::ByteRecord, reading: Reading) -> Result<Names, String> {
        let mut names: Vec<String> = Vec::with_capacity(first.len());
        for field in first {
            names.push(match reading.dialect.has_header {
                true => text(field.to_vec(), reading)?.trim_start_matches('\u{feff}').to_owned(),
                false => String::new(),
            });
        }
        let given: HashSet<String> = names.iter().cloned().collect();
        let mut taken = HashSet::new();
        for (index, name) in names.iter_mut().enumerate() {
            if name.is_empty() {
                *name = free(
                    index + 1,
                    |number| format!("column_{number}"),
                    |name| given.contains(name) || taken.contains(name),
                );
            } else if taken.contains(name) {
                let first = std::mem::take(name);
                *name =
                    free(2, |number| format!("{first}_{number}"), |name| given.contains(name) || taken.contains(name));
            }
            taken.insert(name.clone());
        }
        Ok(Names(names.iter().map(|name| json::string(name)).collect()))
    }

    fn row(&self, record: &csv::ByteRecord, reading: Reading) -> Result<Json, String> {
        let (has, expected) = (record.len(), self.0.len());
        if has != expected && !reading.pads {
            return Err(format!("it has {has} columns, the first row has {expected}"));
        }
        let mut row = Vec::with_capacity(expected.max(has));
        for (index, name) in self.0.iter().enumerate() {
            row.push((name.clone(), json::string(&text(record.get(index).unwrap_or_default().to_vec(), reading)?)));
        }
        for index in expected..has {
            let is_taken = |name: &str| row.iter().any(|(taken, _)| *taken == json::string(name));
            let name = free(index + 1, |number| format!("column_{number}"), is_taken);
            row.push((json::string(&name), json::string(&text(record[index].to_vec(), reading)?)));
        }
        Ok(Json::obj(row.into_iter().collect()))
    }
}

/// The first name from a number on that is free.
fn free(from: usize, name: impl Fn(usize) -> String, is_taken: impl Fn(&str) -> bool) -> String {
    (from..).map(name).find(|name| !is_taken(name)).expect("there are more numbers than names")
}

fn describe(name: &str, problem: &csv::Error) -> String {
    match problem.kind() {
        csv::ErrorKind::Io(problem) => format!("file `{name}` cannot be read: {problem}"),
        _ => format!("file `{name}` is not CSV: {problem}"),
    }
}

/// A text that refuses a record that does not end: the CSV reader keeps a whole record in memory.
pub struct Guarded {
    text: Text,
    left: u64,
}

impl Read for Guarded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::Error::other("a row is longer than 6 MB, the limit of an object"));
        }
        let read = self.text.read(buffer)?;
        self.left = self.left.saturating_sub(read as u64);
        Ok(read)
    }
}

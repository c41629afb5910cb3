//! The lines or rows of one open file, one at a time, and the position after each.

use super::Format;
use crate::component::Fault;
use crate::json::{self, Json};
use crate::log::shorten;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

/// The platform's limit for one object.
const RECORD_LIMIT: u64 = 6_000_000;

/// Where the next record starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Position {
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

/// One file's records.
pub enum Records {
    Lines { reader: BufReader<File>, position: Position, skip_blank: bool },
    Rows { reader: Box<csv::Reader<Guarded>>, header: Vec<Json>, record: csv::StringRecord },
}

impl Records {
    pub fn open(mut file: File, name: &str, format: Format, position: Position) -> Result<Records, Fault> {
        let fail = |problem: io::Error| Fault::new(format!("file `{name}` cannot be read: {problem}"));
        if file.metadata().map_err(fail)?.len() < position.offset {
            return Err(
                Fault::new(format!("file `{name}` is shorter than when the run stopped in it")).hint("start a new run")
            );
        }
        if format != Format::Csv {
            file.seek(SeekFrom::Start(position.offset)).map_err(fail)?;
            let reader = BufReader::with_capacity(64 * 1024, file);
            return Ok(Records::Lines { reader, position, skip_blank: format == Format::Ndjson });
        }
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(Guarded { file, left: RECORD_LIMIT });
        let header = reader.headers().map_err(|problem| Fault::new(describe(name, &problem)))?;
        let columns: Vec<&str> = header.iter().map(|column| column.trim_start_matches('\u{feff}')).collect();
        let header = header_of(name, &columns)?;
        if position.offset > 0 {
            let mut place = csv::Position::new();
            place.set_byte(position.offset).set_line(position.line);
            reader
                .seek_raw(SeekFrom::Start(position.offset), place)
                .map_err(|problem| Fault::new(describe(name, &problem)))?;
        }
        Ok(Records::Rows { reader: Box::new(reader), header, record: csv::StringRecord::new() })
    }

    pub fn position(&self) -> Position {
        match self {
            Records::Lines { position, .. } => *position,
            Records::Rows { reader, .. } => {
                Position { offset: reader.position().byte(), line: reader.position().line() }
            }
        }
    }

    pub fn next(&mut self, name: &str) -> Result<Option<Numbered<Record>>, Fault> {
        match self {
            Records::Lines { reader, position, skip_blank } => loop {
                let Some(line) = line(reader, position, name)? else { return Ok(None) };
                if *skip_blank && line.as_ref().is_ok_and(|line| line.trim().is_empty()) {
                    continue;
                }
                return Ok(Some((position.line, line.map(Record::Line))));
            },
            Records::Rows { reader, header, record } => {
                reader.get_mut().left = RECORD_LIMIT;
                match reader.read_record(record) {
                    Ok(false) => Ok(None),
                    Ok(true) => {
                        let line = record.position().map_or(0, csv::Position::line);
                        Ok(Some((line, row(header, record).map(Record::Row))))
                    }
                    Err(problem) => match problem.kind() {
                        csv::ErrorKind::Utf8 { pos, .. } => {
                            let line = pos.as_ref().map_or(0, csv::Position::line);
                            Ok(Some((line, Err("it is not UTF-8".to_owned()))))
                        }
                        _ => Err(Fault::new(describe(name, &problem))),
                    },
                }
            }
        }
    }
}

/// Reads one line, without its end.
fn line(
    reader: &mut BufReader<File>,
    position: &mut Position,
    name: &str,
) -> Result<Option<Result<String, String>>, Fault> {
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
    if position.line == 1 && bytes.starts_with("\u{feff}".as_bytes()) {
        bytes.drain(..3);
    }
    Ok(Some(String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())))
}

/// The names of a file's columns. A row is an object, which would keep one value of two with the same name.
fn header_of(name: &str, columns: &[&str]) -> Result<Vec<Json>, Fault> {
    let mut seen = HashSet::new();
    match columns.iter().find(|column| !seen.insert(**column)) {
        Some(twice) => Err(Fault::new(format!("file `{name}` has the column `{}` twice", shorten(twice, 100)))
            .hint("give each column a name of its own in the first row, or read the file as `text`")),
        None => Ok(columns.iter().map(|column| json::string(column)).collect()),
    }
}

fn row(header: &[Json], record: &csv::StringRecord) -> Result<Json, String> {
    if record.len() != header.len() {
        return Err(format!("it has {} columns, the first row has {}", record.len(), header.len()));
    }
    Ok(Json::obj(header.iter().cloned().zip(record.iter().map(json::string)).collect()))
}

fn describe(name: &str, problem: &csv::Error) -> String {
    match problem.kind() {
        csv::ErrorKind::Io(problem) => format!("file `{name}` cannot be read: {problem}"),
        _ => format!("file `{name}` is not CSV: {problem}"),
    }
}

/// A file that refuses a record that does not end: the CSV reader keeps a whole record in memory.
pub struct Guarded {
    file: File,
    left: u64,
}

impl Read for Guarded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::Error::other("a row is longer than 6 MB, the limit of an object"));
        }
        let read = self.file.read(buffer)?;
        self.left = self.left.saturating_sub(read as u64);
        Ok(read)
    }
}

impl Seek for Guarded {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

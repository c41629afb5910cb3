//! `file_source`: streams the lines or records of files. It holds one line at a time, whatever the size of the file,
//! and continues after a checkpoint where it stood: by seeking in plain UTF-8, by reading up to there in any other.

mod records;
mod text;

use super::schema;
use crate::component::{Call, Entry, Fault, Make, Setup, Source};
use crate::folders;
use crate::json::{self, Json};
use crate::log::Level;
use crate::object::Object;
use crate::value::Value;
use encoding_rs::Encoding;
use futures::future::BoxFuture;
use records::{Dialect, Position, Reading, Record, Records};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Tree, json};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use text::Packing;
use tidemill_model::lane::Lane;
use tidemill_plan::{Class, Provider};

/// Files that one pattern may name.
const FILE_LIMIT: usize = 100_000;

pub fn entry() -> Entry {
    let declaration = Provider {
        name: "file_source",
        title: "File source",
        description: "Streams files from a readable folder, object by object: the lines of text, the values of NDJSON, \
            or the rows of CSV as objects with the names of the first row; a name that is there again gets a number, e.g. `name_2`. \
            A file that ends in `.gz` is inflated. Each object's id is `<file>:<line>`. Text \
            lines arrive on `documents` as `{\"text\": …}`. Works only in the local plane.",
        class: Class::Source,
        lanes: vec![],
        gives: vec![Lane::Text, Lane::Documents],
        config: schema(
            [
                (
                    "path",
                    json!({
                        "type": "string", "minLength": 1, "x-tidemill": "files",
                        "description": "A file or a pattern such as `logs/**/*.ndjson`, below a readable folder; a file of just this name comes before the pattern. A pattern's files are read in the order of their names.",
                    }),
                ),
                (
                    "format",
                    json!({
                        "enum": ["auto", "text", "ndjson", "csv"], "default": "auto",
                        "description": "How a file is read. `auto` goes by its extension, in upper or lower case: `.ndjson` and `.jsonl`, `.csv`, anything else is text.",
                    }),
                ),
                (
                    "on_error",
                    json!({
                        "enum": ["fail", "skip", "pad"], "default": "fail",
                        "description": "What a line does that is not valid: end the run, be skipped with a warning in the log, or be mended. `pad` fills the missing values of a row with empty texts, names further ones `column_<number>`, and writes `\u{fffd}` for bytes that are no text; what it cannot mend ends the run.",
                    }),
                ),
                (
                    "encoding",
                    json!({
                        "type": "string", "x-tidemill": "encoding", "default": "utf-8",
                        "description": "What the text is written in, by a label of https://encoding.spec.whatwg.org, e.g. `windows-1252`. A byte order mark in the file comes first.",
                    }),
                ),
                (
                    "delimiter",
                    json!({
                        "type": "string", "pattern": "^(auto|[\\x01-\\x7f])$", "default": "auto",
                        "description": "What stands between the values of a CSV row: one ASCII character. `auto` takes that of a first line such as `sep=;`, or else a comma.",
                    }),
                ),
                (
                    "quote",
                    json!({
                        "type": "string", "pattern": "^[\\x01-\\x7f]?$", "default": "\"",
                        "description": "What stands around a CSV value that holds a delimiter: one ASCII character, or an empty text if no value is quoted.",
                    }),
                ),
                (
                    "header",
                    json!({
                        "type": "boolean", "default": true,
                        "description": "Whether the first row of CSV has the names; without, they are `column_1`, `column_2` and so on.",
                    }),
                ),
            ],
            &["path"],
        ),
        local_only: true,
    };
    Entry { declaration, make: Make::Source(|setup| Ok(Box::new(Files::new(setup)?))) }
}

#[derive(Deserialize)]
struct Config {
    path: String,
    format: Format,
    on_error: OnError,
    encoding: String,
    delimiter: String,
    quote: String,
    header: bool,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Format {
    Auto,
    Text,
    Ndjson,
    Csv,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OnError {
    Fail,
    Skip,
    Pad,
}

/// Where a run stands: `file` is relative to its folder; `None` after the last file.
#[derive(Clone, Serialize, Deserialize)]
struct State {
    file: Option<String>,
    position: Position,
}

struct Files {
    folder: PathBuf,
    waiting: VecDeque<PathBuf>,
    current: Option<Current>,
    /// No file matches the pattern, and that is not counted yet.
    unmatched: bool,
    reading: Reading,
    on_error: OnError,
}

struct Current {
    name: String,
    shown: Json,
    format: Format,
    records: Records,
}

impl Config {
    fn reading(&self) -> Result<Reading, Fault> {
        let encoding = Encoding::for_label(self.encoding.as_bytes()).ok_or_else(|| {
            Fault::new(format!("the encoding `{}` does not exist", self.encoding))
                .hint("give a label of https://encoding.spec.whatwg.org, e.g. `windows-1252`")
        })?;
        let character = |text: &str| text.bytes().next().filter(|byte| byte.is_ascii());
        let delimiter = Some(self.delimiter.as_str()).filter(|delimiter| *delimiter != "auto").and_then(character);
        let dialect = Dialect { delimiter, quote: character(&self.quote), has_header: self.header };
        let packing = Packing { is_zipped: false, encoding };
        Ok(Reading { format: self.format, packing, dialect, pads: self.on_error == OnError::Pad })
    }
}

impl Files {
    fn new(mut setup: Setup<'_>) -> Result<Files, Fault> {
        let config: Config = setup.config()?;
        let state: Option<State> = setup.state()?;
        let allowed = setup.folders().ok_or_else(|| {
            Fault::new("files cannot be read here").hint("`file_source` works only in the local plane")
        })?;
        let (folder, files) = folders::readable(&allowed, &config.path)?;
        if files.len() > FILE_LIMIT {
            return Err(Fault::new(format!(
                "`{}` names {} files, the limit is {FILE_LIMIT}",
                config.path,
                files.len()
            )));
        }
        let unmatched = files.is_empty() && state.is_none();
        if unmatched {
            setup.warn(format!("no file matches `{}`", config.path));
        }
        let (reading, on_error) = (config.reading()?, config.on_error);
        let mut files = Files { folder, waiting: files.into(), current: None, unmatched, reading, on_error };
        if let Some(state) = state {
            files.resume(state)?;
        }
        Ok(files)
    }

    /// Drops the files that were read, and opens the one that was being read where it was left.
    fn resume(&mut self, state: State) -> Result<(), Fault> {
        let Some(name) = state.file else {
            self.waiting.clear();
            return Ok(());
        };
        let current = self.folder.join(&name);
        self.waiting.retain(|file| *file >= current);
        if self.waiting.front() != Some(&current) {
            return Err(Fault::new(format!("file `{name}` is gone, but the run stopped in it"))
                .hint("bring it back, or start a new run"));
        }
        self.waiting.pop_front();
        self.open(current, state.position)
    }

    fn open(&mut self, file: PathBuf, position: Position) -> Result<(), Fault> {
        let name = file.strip_prefix(&self.folder).unwrap_or(&file).to_string_lossy().into_owned();
        let lower = name.to_ascii_lowercase();
        let plain = lower.strip_suffix(".gz");
        let format = match (self.reading.format, plain.unwrap_or(&lower).rsplit_once('.')) {
            (Format::Auto, Some((_, "ndjson" | "jsonl"))) => Format::Ndjson,
            (Format::Auto, Some((_, "csv"))) => Format::Csv,
            (Format::Auto, _) => Format::Text,
            (format, _) => format,
        };
        let packing = Packing { is_zipped: plain.is_some(), ..self.reading.packing };
        let reading = Reading { format, packing, ..self.reading };
        let records = Records::open(folders::open(&self.folder, &file)?, &name, reading, position)?;
        self.current = Some(Current { shown: json::string(&name), name, format, records });
        Ok(())
    }

    /// Emits the next object; `false` after the last.
    fn next(&mut self, call: &mut Call<'_>) -> Result<bool, Fault> {
        if std::mem::take(&mut self.unmatched) {
            call.dropped("no file matches the pattern");
        }
        loop {
            let Some(current) = &mut self.current else {
                let Some(file) = self.waiting.pop_front() else { return Ok(false) };
                self.open(file, Position::default())?;
                continue;
            };
            let emitted = match current.records.next(&current.name)? {
                None => {
                    self.current = None;
                    continue;
                }
                Some((line, record)) => current.emit(line, record, call),
            };
            match emitted {
                Ok(()) => return Ok(true),
                Err(fault) if self.on_error == OnError::Skip => {
                    call.dropped("the line is not valid");
                    call.log(Level::Warn, format!("skipped: {}", fault.message));
                }
                Err(fault) => return Err(fault.hint("correct the line, or set `on_error` to `skip` or `pad`")),
            }
        }
    }
}

impl Current {
    fn emit(&self, line: u64, record: Result<Record, String>, call: &mut Call<'_>) -> Result<(), Fault> {
        let invalid = |problem: String| Fault::new(format!("line `{}:{line}` is not valid: {problem}", self.name));
        let record = record.map_err(invalid)?;
        let meta = json::object([("file", self.shown.clone()), ("line", Json::from(line as usize))]);
        let object = Arc::new(Object::new(format!("{}:{line}", self.name)).with_meta(meta));
        if call.is_connected(Lane::Documents) || self.format == Format::Ndjson {
            let document = match &record {
                Record::Row(row) => row.clone(),
                Record::Line(text) if self.format == Format::Ndjson => json::parse(text.as_bytes()).map_err(invalid)?,
                Record::Line(text) => json::object([("text", json::string(text))]),
            };
            call.emit_on(Lane::Documents, &object, Value::Json(document))?;
        }
        if call.is_connected(Lane::Text) {
            let text = match record {
                Record::Row(row) => json::to_compact(&row)?,
                Record::Line(text) => text,
            };
            call.emit_on(Lane::Text, &object, Value::text(text))?;
        }
        Ok(())
    }
}

impl Source for Files {
    fn pull<'a>(&'a mut self, call: &'a mut Call<'_>) -> BoxFuture<'a, Result<bool, Fault>> {
        let pulled = self.next(call);
        Box::pin(std::future::ready(pulled))
    }

    fn state(&self) -> Tree {
        let next = self.waiting.front().map(|file| file.strip_prefix(&self.folder).unwrap_or(file));
        let state = match &self.current {
            Some(current) => State { file: Some(current.name.clone()), position: current.records.position() },
            None => State { file: next.map(|file| file.to_string_lossy().into_owned()), position: Position::default() },
        };
        json!(state)
    }
}

#[cfg(test)]
mod tests;

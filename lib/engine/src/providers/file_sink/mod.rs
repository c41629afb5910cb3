//! `file_sink`: appends to a file, every object exactly once however often the run is killed and redone.
//!
//! The checkpoint holds the file's length after a flush. What a dead predecessor wrote after its last checkpoint is cut
//! off when the run continues, unless another run wrote to the file in between: [`owner`] keeps the name of the last run.

mod owner;

use super::{READABLE, schema};
use crate::component::{Call, Component, Entry, Fault, Make};
use crate::flow::Arrival;
use crate::folders;
use crate::json;
use crate::log::Level;
use crate::value::Value;
use futures::future::BoxFuture;
use owner::Owner;
use serde::Deserialize;
use serde_json::{Value as Tree, json};
use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tidemill_model::lane::Lane;
use tidemill_plan::{Class, Provider};

/// How long a run waits for another that has the file open.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// Bytes that wait in memory before they are written.
const BUFFER: usize = 64 * 1024;

pub fn entry() -> Entry {
    let declaration = Provider {
        name: "file_sink",
        title: "File sink",
        description: "Appends each value as one line to a file in the writable folder. A run that is killed and redone \
            leaves every object in the file exactly once. One run at a time has the file open; others wait. Works only \
            in the local plane.",
        class: Class::Sink,
        lanes: READABLE.map(|lane| (lane, vec![])).to_vec(),
        gives: vec![],
        config: schema(
            [
                (
                    "path",
                    json!({
                        "type": "string", "minLength": 1, "x-tidemill": "path", "x-unique": true,
                        "description": "The file, relative to the writable folder, e.g. `reports/today.ndjson`. Missing folders are made. No other `file_sink` of the pipeline may have it.",
                    }),
                ),
                (
                    "format",
                    json!({
                        "enum": ["auto", "text", "ndjson"], "default": "auto",
                        "description": "`text` writes strings as they are, with a newline at the end; `ndjson` writes each value as one line of JSON. `auto` is `ndjson` for documents and questions, and `text` for the other lanes.",
                    }),
                ),
            ],
            &["path"],
        ),
        local_only: true,
    };
    let make = Make::Component(|setup| {
        let config: Config = setup.config()?;
        let allowed = setup.folders().ok_or_else(|| {
            Fault::new("files cannot be written here").hint("`file_sink` works only in the local plane")
        })?;
        Ok(Box::new(Sink {
            path: folders::writable(&allowed, &config.path)?,
            shown: config.path,
            format: config.format,
            saved: setup.state::<u64>()?,
            file: None,
            buffer: Vec::new(),
            length: 0,
        }))
    });
    Entry { declaration, make }
}

#[derive(Deserialize)]
struct Config {
    path: String,
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Format {
    Auto,
    Text,
    Ndjson,
}

struct Sink {
    path: PathBuf,
    shown: String,
    format: Format,
    /// The file's length at the checkpoint that the run continues from.
    saved: Option<u64>,
    file: Option<File>,
    buffer: Vec<u8>,
    /// The file's length, with everything that was written.
    length: u64,
}

impl Sink {
    async fn open_and_repair(&mut self, call: &mut Call<'_>) -> Result<(), Fault> {
        let mut options = folders::private_file();
        let file = options.append(true).create(true).open(&self.path).map_err(|problem| self.fail(problem))?;
        self.lock(&file).await?;
        let length = file.metadata().map_err(|problem| self.fail(problem))?.len();
        let facts = &call.run.context.run;
        let run = match &facts.object {
            // No worker goes on with a task's object, so none cuts off what another object left.
            Some(object) => format!("{}/{object}", facts.run_id),
            None => facts.run_id.clone(),
        };
        let me = Owner { run, component: call.id.to_owned(), length };
        let last = Owner::read(&self.path);
        self.length = match last.filter(|last| last.is_same_as(&me)) {
            Some(last) => self.cut(&file, length, last.length.max(self.saved.unwrap_or(0)), call)?,
            None => {
                if self.saved.is_some() {
                    call.log(
                        Level::Warn,
                        format!(
                            "another run wrote to `{}` meanwhile, so some lines of this run may be in it twice",
                            self.shown
                        ),
                    );
                }
                me.write(&self.path).map_err(|problem| self.fail(problem))?;
                length
            }
        };
        self.file = Some(file);
        Ok(())
    }

    /// Takes back what was written after the last checkpoint.
    fn cut(&self, file: &File, length: u64, to: u64, call: &mut Call<'_>) -> Result<u64, Fault> {
        if length < to {
            call.log(
                Level::Warn,
                format!("`{}` is shorter than this run left it: something else changed it", self.shown),
            );
            return Ok(length);
        }
        if length > to {
            file.set_len(to).and_then(|()| file.sync_data()).map_err(|problem| self.fail(problem))?;
        }
        Ok(to)
    }

    async fn lock(&self, file: &File) -> Result<(), Fault> {
        #[expect(clippy::disallowed_methods, reason = "another process holds the lock in real time")]
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(()),
                Err(TryLockError::Error(problem)) => return Err(self.fail(problem)),
                Err(TryLockError::WouldBlock) if start.elapsed() >= LOCK_PATIENCE => {
                    return Err(Fault::passing(format!("file `{}` is held by another run or component", self.shown))
                        .hint("give each pipeline and each component a file of its own"));
                }
                Err(TryLockError::WouldBlock) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    fn append(&mut self, lane: Lane, value: &Value) -> Result<(), Fault> {
        let as_json = match self.format {
            Format::Auto => matches!(lane, Lane::Documents | Lane::Questions),
            format => format == Format::Ndjson,
        };
        match value {
            Value::Json(json) if as_json => json::write(json, &mut self.buffer)?,
            value if as_json => json::write(&value.as_json(), &mut self.buffer)?,
            value => self.buffer.extend_from_slice(value.as_text()?.as_bytes()),
        }
        if as_json || self.buffer.last() != Some(&b'\n') {
            self.buffer.push(b'\n');
        }
        if self.buffer.len() >= BUFFER { self.write_out() } else { Ok(()) }
    }

    fn write_out(&mut self) -> Result<(), Fault> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let file = self.file.as_mut().expect("the file is open before the first value");
        let written = file.write_all(&self.buffer);
        written.map_err(|problem| self.fail(problem))?;
        self.length += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    fn fail(&self, problem: io::Error) -> Fault {
        let fault = Fault::new(format!("file `{}` cannot be written: {problem}", self.shown));
        Fault { retryable: problem.kind() == io::ErrorKind::StorageFull, ..fault }
    }
}

impl Component for Sink {
    fn open<'a>(&'a mut self, call: &'a mut Call<'_>) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(self.open_and_repair(call))
    }

    fn take<'a>(&'a mut self, arrival: Arrival, _call: &'a mut Call<'_>) -> BoxFuture<'a, Result<(), Fault>> {
        let appended = self.append(arrival.lane, &arrival.value);
        Box::pin(std::future::ready(appended))
    }

    fn flush(&mut self) -> Result<(), Fault> {
        self.write_out()?;
        let file = self.file.as_ref().expect("the file is open before the first flush");
        file.sync_data().map_err(|problem| self.fail(problem))
    }

    fn state(&self) -> Tree {
        json!(self.length)
    }
}

/// The file beside `path` that keeps its owner.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{suffix}"))
}

#[cfg(test)]
mod tests;

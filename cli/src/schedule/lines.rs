//! Answers lines `{"expr", "start"}` with the next due times, one line each, for programs that ask about many schedules.

use crate::failure::{Exit, Failure};
use crate::output::times::seconds_since_1970;
use crate::schedule::text::parse;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::io::{BufRead, BufReader, BufWriter, ErrorKind, Read, Write};

/// Due times in an answer.
const COUNT: usize = 5;

#[derive(Deserialize)]
struct Question<'a> {
    #[serde(borrow)]
    expr: Cow<'a, str>,
    /// Seconds since 1970, also fractions; goes back as it came.
    #[serde(borrow)]
    start: &'a RawValue,
    #[serde(default)]
    timezone: Option<String>,
}

#[derive(Serialize)]
struct Answer<'a> {
    expr: Option<Cow<'a, str>>,
    start: Option<&'a RawValue>,
    valid: bool,
    /// Seconds since 1970, strictly after `start`; empty for `manual`.
    next: Vec<i64>,
    error: Option<String>,
}

/// Answers every line. Answers are flushed whenever no more input is waiting, so a program may send one line at a time.
pub fn answer(input: impl Read, output: impl Write) -> Result<Exit, Failure> {
    match answer_lines(BufReader::new(input), BufWriter::new(output)) {
        Ok(()) => Ok(Exit::Done),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Exit::Done),
        Err(error) => Err(Failure::new("file", format!("cannot continue: {error}"))),
    }
}

fn answer_lines<R: Read>(mut input: BufReader<R>, mut output: impl Write) -> std::io::Result<()> {
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        if !line.trim_ascii().is_empty() {
            serde_json::to_writer(&mut output, &answer_of(&line))?;
            output.write_all(b"\n")?;
        }
        line.clear();
        if input.buffer().is_empty() {
            output.flush()?;
        }
    }
    output.flush()
}

fn answer_of(line: &[u8]) -> Answer<'_> {
    let refused = Answer { expr: None, start: None, valid: false, next: Vec::new(), error: None };
    let question: Question = match serde_json::from_slice(line) {
        Ok(question) => question,
        Err(error) => return Answer { error: Some(format!("the line cannot be read: {error}")), ..refused },
    };
    let due = due(&question);
    let Question { expr, start, .. } = question;
    let asked = Answer { expr: Some(expr), start: Some(start), ..refused };
    match due {
        Ok(next) => Answer { valid: true, next, ..asked },
        Err(error) => Answer { error: Some(error), ..asked },
    }
}

fn due(question: &Question) -> Result<Vec<i64>, String> {
    let zone = question.timezone.as_deref().unwrap_or("UTC");
    let schedule = parse(&question.expr, zone).map_err(|error| format!("{error} (position {})", error.position()))?;
    let start = start(question.start).ok_or("`start` is not a number of seconds since 1970")?;
    Ok(schedule.ticks_after(start).take(COUNT).map(Timestamp::as_second).collect())
}

/// Exact for whole seconds, also beyond what a float holds.
fn start(text: &RawValue) -> Option<Timestamp> {
    match text.get().parse::<i64>() {
        Ok(seconds) => Timestamp::from_second(seconds).ok(),
        Err(_) => text.get().parse().ok().and_then(seconds_since_1970),
    }
}

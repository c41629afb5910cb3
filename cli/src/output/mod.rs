//! What is printed: answers on standard output, everything about them on standard error. Colours are dropped where
//! the stream is not a terminal or `NO_COLOR` is set.

pub mod asking;
pub mod progress;
pub mod table;
pub mod times;
pub mod zone;

use crate::api::views::Detail;
use crate::failure::{Exit, Failure};
use owo_colors::OwoColorize;
use serde::Serialize;
use std::fmt::Display;
use std::io::{ErrorKind, IsTerminal, Write};
use tidemill_engine::filter::{self, Filter, Form};

/// The output of a command.
#[derive(Clone, Copy)]
pub struct Output {
    is_json: bool,
    filter: Option<&'static Filter>,
}

impl Output {
    pub fn new(is_json: bool) -> Output {
        Output { is_json, filter: None }
    }

    /// JSON, of which a jq program gives what is printed.
    ///
    /// # Errors
    /// It is no program.
    pub fn filtered(program: &str) -> Result<Output, Failure> {
        let filter = Filter::parse(program).map_err(|problem| {
            let at = problem.offset.and_then(|at| program.get(..at)).map(|before| before.chars().count() + 1);
            let place = at.map(|at| format!(", at character {at}")).unwrap_or_default();
            Failure::argument(format!("`--jq` {}{place}", problem.message), problem.hint)
        })?;
        // A process runs one command, whose output is copied to wherever something is printed.
        Ok(Output { is_json: true, filter: Some(Box::leak(Box::new(filter))) })
    }

    pub fn is_json(self) -> bool {
        self.is_json
    }

    /// Writes a line, or several, on standard output at once.
    pub fn line(self, text: impl Display) {
        let mut stdout = anstream::stdout().lock();
        gone_quietly(writeln!(stdout, "{text}").and_then(|()| stdout.flush()));
    }

    /// Writes a value of ours as the answer.
    pub fn json(self, value: &impl Serialize) {
        self.answer(&serde_json::to_string(value).expect("answers are made of JSON"));
    }

    /// Writes an answer as JSON: in lines and colours on a terminal, as it was sent elsewhere.
    pub fn answer(self, json: &str) {
        match std::io::stdout().is_terminal() {
            true => self.written(json, Form::Coloured),
            false => self.written(json, Form::Line),
        }
    }

    /// Writes one object of a stream, on a line of its own everywhere.
    pub fn object(self, json: &str) {
        self.written(json, Form::Line);
    }

    fn written(self, json: &str, form: Form) {
        let Some(filter) = self.filter else {
            return match form {
                // As it was sent, to the byte.
                Form::Line => self.line(json),
                form => self.line(filter::shown(json, form).as_deref().unwrap_or(json)),
            };
        };
        match filter.run(json, form) {
            Ok(values) => values.iter().for_each(|value| self.line(value)),
            Err(problem) => {
                self.failure(&Failure::new("jq", format!("`--jq` failed for the answer: {problem}")));
                std::process::exit(Exit::Failed as i32);
            }
        }
    }

    /// Writes a note for a person on standard error; a script gets none.
    pub fn note(self, text: impl Display) {
        if !self.is_json {
            self.report(text);
        }
    }

    /// Says that the plane does not answer, and is waited for.
    pub fn trying_again(self, failure: &Failure) {
        self.note(format_args!("{}; trying again", failure.message));
    }

    /// Writes a line on standard error.
    pub fn report(self, text: impl Display) {
        // There is no place left to report a closed standard error.
        _ = writeln!(anstream::stderr().lock(), "{text}");
    }

    /// Reports success: the API's answer for a script, a sentence for a person.
    pub fn done(self, answer: &str, sentence: impl Display) {
        match self.is_json {
            true => self.answer(answer),
            false => self.line(sentence),
        }
    }

    pub fn failure(self, failure: &Failure) {
        match self.is_json {
            true => self.report(serde_json::to_string(failure).expect("a failure is made of texts")),
            false => self.report(failure_text(failure).trim_end()),
        }
    }

    pub fn warnings(self, warnings: &[Detail]) {
        for warning in warnings {
            self.note(format_args!("{} {}", "warning:".yellow().bold(), detail_text(warning)));
        }
    }
}

/// A reader that has seen enough (`| head`) closes the pipe; that is no failure.
fn gone_quietly(written: std::io::Result<()>) {
    match written {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        Err(_) => std::process::exit(1),
    }
}

fn failure_text(failure: &Failure) -> String {
    let mut text = format!("{} {}\n", "error:".red().bold(), failure.message);
    for detail in failure.details.iter().filter(|detail| is_new(failure, detail)) {
        match repeats(failure, detail) {
            true => text.push_str(&format!("  at {}\n", place(detail).unwrap_or_default())),
            false => text.push_str(&format!("  {}\n", detail_text(detail))),
        }
    }
    if let Some(hint) = hint(failure) {
        text.push_str(&format!("{} {hint}\n", "hint:".cyan().bold()));
    }
    text
}

/// Whether a detail says anything that the message does not. One that only repeats an id of it is for scripts.
fn is_new(failure: &Failure, detail: &Detail) -> bool {
    match repeats(failure, detail) {
        true => place(detail).is_some(),
        false => detail.hint.is_some() || !failure.message.contains(&detail.message),
    }
}

/// A single detail says what the message says; only its place and its hint are new.
fn repeats(failure: &Failure, detail: &Detail) -> bool {
    failure.message.ends_with(&detail.message)
}

/// What to do. Hints at `details` and at the API's description are for programs; a person sees the details listed, each
/// with its own hint.
fn hint(failure: &Failure) -> Option<&str> {
    let only = match failure.details.as_slice() {
        [only] if repeats(failure, only) => only.hint.as_deref(),
        _ => None,
    };
    let is_for_people = |hint: &&str| !hint.contains("`details`") && !hint.contains("the API's description");
    only.or(failure.hint.as_deref()).filter(is_for_people)
}

/// One line: where, what, and what to do.
pub fn detail_text(detail: &Detail) -> String {
    let place = place(detail).map(|place| format!("{}: ", place.bold())).unwrap_or_default();
    let hint = detail.hint.as_ref().map(|hint| format!(" {}", format!("({hint})").dimmed())).unwrap_or_default();
    format!("{place}{}{hint}", detail.message)
}

fn place(detail: &Detail) -> Option<String> {
    if let (Some(file), Some(line), Some(column)) = (&detail.file, detail.line, detail.column) {
        // In the form that terminals and editors open.
        return Some(format!("{file}:{line}:{column}"));
    }
    let parts = [&detail.file, &detail.component, &detail.field].map(Option::as_deref);
    let parts: Vec<&str> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

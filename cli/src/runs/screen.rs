//! Where the log of a run that is followed goes: its lines to one stream, what is said about them to standard error, and on a terminal
//! a last line that shows how things stand.

use crate::failure::Failure;
use crate::output::{Output, progress};
use crate::session::Session;
use indicatif::{ProgressBar, ProgressStyle};
use std::fmt::Display;
use std::time::Duration;

/// How often the last line turns.
const TURN: Duration = Duration::from_millis(100);

/// Where the lines of a log go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// They are what the command answers.
    Answer,
    /// They stand beside the answer: on standard error, and nowhere for a script.
    Aside,
}

/// The screen of a command that follows.
pub struct Screen {
    output: Output,
    lines: Lines,
    bar: ProgressBar,
}

impl Screen {
    pub fn new(session: &Session, lines: Lines, what: String) -> Screen {
        Screen { output: session.output, lines, bar: bar(session, what) }
    }

    pub fn is_json(&self) -> bool {
        self.output.is_json()
    }

    /// Whether it shows how things stand, and needs no lines for that.
    pub fn is_watched(&self) -> bool {
        !self.bar.is_hidden()
    }

    /// Writes a line of a log.
    pub fn line(&self, text: impl Display) {
        self.bar.suspend(|| match self.lines {
            Lines::Answer if self.is_json() => self.output.object(&text.to_string()),
            Lines::Answer => self.output.line(text),
            Lines::Aside => self.output.note(text),
        });
    }

    /// Writes a line about the log.
    pub fn note(&self, text: impl Display) {
        self.bar.suspend(|| self.output.note(text));
    }

    /// Says that the plane does not answer, and is waited for.
    pub fn lost(&self, failure: &Failure) {
        self.show("waiting for the plane".to_owned());
        self.bar.suspend(|| self.output.trying_again(failure));
    }

    /// Shows how things stand.
    pub fn show(&self, text: String) {
        self.bar.set_message(text);
    }

    /// Takes the last line away.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

fn bar(session: &Session, what: String) -> ProgressBar {
    if !session.is_watched() {
        return ProgressBar::hidden();
    }
    let template = "{spinner} {prefix} {elapsed:.dim} {wide_msg}";
    let style = ProgressStyle::with_template(template).expect("the template is sound");
    let bar = ProgressBar::with_draw_target(None, progress::target()).with_style(style).with_prefix(what);
    bar.enable_steady_tick(TURN);
    bar
}

//! How far a rollout is, while it goes on: a bar on a terminal, a plain line for each step elsewhere.

use crate::output::Output;
use crate::rollouts::views::{Rollout, Stand};
use crate::session::Session;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use std::cell::RefCell;
use std::time::Duration;

const TURN: Duration = Duration::from_millis(100);

/// The progress of one rollout. It is gone when it is dropped.
pub struct Bar {
    bar: ProgressBar,
    /// Where plain lines go, if they are wanted, and the step that was told last.
    lines: Option<(Output, RefCell<String>)>,
}

impl Bar {
    /// `verb` says what is done about the rollout: following it, waiting for it.
    pub fn new(session: &Session, rollout: &Rollout, verb: &str) -> Bar {
        if !session.is_watched() {
            let lines = Some((session.output, RefCell::default()));
            return Bar { bar: ProgressBar::hidden(), lines };
        }
        let style = "{spinner} {prefix} {bar:24} {percent:>3}% {msg} {elapsed:.dim}";
        let style = ProgressStyle::with_template(style).expect("the template is sound");
        let began = rollout.started_at.unwrap_or(rollout.created_at);
        let elapsed = Duration::try_from(Timestamp::now().duration_since(began)).unwrap_or_default();
        let bar = ProgressBar::new(100)
            .with_style(style)
            .with_elapsed(elapsed)
            .with_prefix(format!("{verb} {}", rollout.id).trim_start().to_owned());
        bar.enable_steady_tick(TURN);
        let bar = Bar { bar, lines: None };
        bar.update(&rollout.stand());
        bar
    }

    pub fn update(&self, stand: &Stand) {
        let Stand { step, progress, settled, resources } = stand;
        let text = match step.as_str() {
            "apply" => format!("{step} {settled}/{resources}"),
            _ => step.clone(),
        };
        self.bar.set_position(u64::from(*progress));
        self.bar.set_message(text.clone());
        if let Some((output, told)) = self.lines.as_ref().filter(|_| step != "done")
            && *told.borrow() != *step
        {
            told.replace(step.clone());
            output.note(format_args!("{progress:>3} % {text}"));
        }
    }

    /// Lets something be written while the bar is out of the way.
    pub fn suspend(&self, write: impl FnOnce()) {
        self.bar.suspend(write);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

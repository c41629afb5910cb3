//! The progress of a rollout: a bar on a terminal, elsewhere a plain line now and then.

use crate::output::Output;
use crate::output::progress;
use crate::rollouts::views::{Progress, Rollout};
use crate::session::Session;
use indicatif::{ProgressBar, ProgressStyle};
use std::cell::RefCell;
use std::convert::Infallible;
use std::time::{Duration, Instant};

const TURN: Duration = Duration::from_millis(100);
/// Percent that are worth a line.
const STRIDE: u8 = 10;
/// A line comes at least so often: build services kill a job that is silent for minutes.
const SILENCE: Duration = Duration::from_secs(60);

/// The progress of one rollout. It is gone when it is dropped.
pub struct Bar {
    bar: ProgressBar,
    lines: Option<Lines>,
}

/// Plain lines, and the progress that the last one showed.
struct Lines {
    output: Output,
    last: RefCell<Option<LastLine>>,
}

struct LastLine {
    stand: Progress,
    at: Instant,
}

impl LastLine {
    /// Whether the progress by now is worth a new line.
    fn is_outdated(&self, stand: &Progress, now: Instant) -> bool {
        stand.step != self.stand.step
            || stand.progress >= self.stand.progress.saturating_add(STRIDE)
            || now.duration_since(self.at) >= SILENCE
    }
}

impl Bar {
    /// `verb` says what is done about the rollout: following it, waiting for it.
    pub fn new(session: &Session, rollout: &Rollout, verb: &str) -> Bar {
        if !session.is_watched() {
            let lines = Lines { output: session.output, last: RefCell::default() };
            return Bar { bar: ProgressBar::hidden(), lines: Some(lines) };
        }
        let style = "{spinner} {prefix} {bar:24} {percent:>3}% {msg} {elapsed:.dim}";
        let style = ProgressStyle::with_template(style).expect("the template is sound");
        let began = rollout.started_at.unwrap_or(rollout.created_at);
        let elapsed = Duration::try_from(crate::output::times::now().duration_since(began)).unwrap_or_default();
        let bar = ProgressBar::with_draw_target(Some(100), progress::target())
            .with_style(style)
            .with_elapsed(elapsed)
            .with_prefix(format!("{verb} {}", rollout.id).trim_start().to_owned());
        bar.enable_steady_tick(TURN);
        let bar = Bar { bar, lines: None };
        bar.update(&rollout.stand());
        bar
    }

    pub fn update(&self, stand: &Progress) {
        self.bar.set_position(u64::from(stand.progress));
        self.bar.set_message(text(stand));
        if let Some(lines) = self.lines.as_ref().filter(|_| stand.step != "done") {
            lines.update(stand, crate::output::times::clock());
        }
    }

    /// Repeats the last line whenever nothing has moved for long; never ends by itself.
    pub async fn repeat(&self) -> Infallible {
        loop {
            tokio::time::sleep(SILENCE / 60).await;
            self.lines.iter().for_each(|lines| lines.repeat(crate::output::times::clock()));
        }
    }

    /// Lets something be written while the bar is out of the way.
    pub fn suspend(&self, write: impl FnOnce()) {
        self.bar.suspend(write);
    }
}

impl Lines {
    fn update(&self, stand: &Progress, now: Instant) {
        if self.last.borrow().as_ref().is_none_or(|last| last.is_outdated(stand, now)) {
            self.output.note(format_args!("{:>3} % {}", stand.progress, text(stand)));
            self.last.replace(Some(LastLine { stand: stand.clone(), at: now }));
        }
    }

    fn repeat(&self, now: Instant) {
        let last = self.last.borrow().as_ref().map(|last| last.stand.clone());
        last.iter().for_each(|stand| self.update(stand, now));
    }
}

fn text(stand: &Progress) -> String {
    match stand.step.as_str() {
        "apply" => format!("apply {}/{}", stand.settled, stand.resources),
        step => step.to_owned(),
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stand(step: &str, progress: u8) -> Progress {
        Progress { step: step.to_owned(), progress, settled: 0, resources: 9 }
    }

    #[test]
    fn a_line_comes_with_a_step_with_ten_percent_and_with_a_minute() {
        let at = crate::output::times::clock();
        let last = LastLine { stand: stand("apply", 20), at };

        assert!(!last.is_outdated(&stand("apply", 29), at + Duration::from_secs(59)));
        assert!(last.is_outdated(&stand("apply", 30), at));
        assert!(last.is_outdated(&stand("done", 20), at));
        assert!(last.is_outdated(&stand("apply", 20), at + Duration::from_secs(60)));
    }
}

//! A run's log: bounded per step, and free of secrets.

use crate::masks::Masks;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, MutexGuard};

/// Lines kept of one step.
const LINE_LIMIT: usize = 1_000;

/// Bytes of messages kept of one step.
const BYTE_LIMIT: usize = 64 * 1024;

/// Bytes of one message.
pub(crate) const MESSAGE_LIMIT: usize = 4 * 1024;

/// One line of a run's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    pub at: Timestamp,
    pub level: Level,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    pub message: String,
    /// The attempt of the run that wrote it.
    #[serde(default = "first_attempt", skip_serializing_if = "is_first_attempt")]
    pub attempt: u32,
}

fn first_attempt() -> u32 {
    1
}

fn is_first_attempt(attempt: &u32) -> bool {
    *attempt == 1
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

/// The log of a run that an execution writes.
pub struct Log {
    lines: SharedLines,
    masks: Arc<Masks>,
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    attempt: u32,
}

impl Log {
    pub(crate) fn new(
        lines: SharedLines,
        masks: Arc<Masks>,
        now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
        attempt: u32,
    ) -> Log {
        Log { lines, masks, now, attempt }
    }

    /// Adds a line, unless the step's bounds are reached; then it is counted.
    pub fn add(&mut self, level: Level, component: Option<&str>, message: impl AsRef<str>) {
        let Some(room) = self.lines.room() else { return };
        // Masked before it is cut, so that no half of a secret survives.
        let message = shorten(&self.masks.apply(message.as_ref()), MESSAGE_LIMIT.min(room));
        let line = self.line(level, component.map(str::to_owned), message);
        self.lines.push(line);
    }

    /// Takes the lines out at the end of a step; the last one says how many were dropped.
    pub(crate) fn take(&mut self) -> Vec<LogLine> {
        let StepLines { mut lines, dropped, .. } = std::mem::take(&mut *self.lines.locked());
        if dropped > 0 {
            let more = if dropped == 1 { "1 more line".to_owned() } else { format!("{dropped} more lines") };
            let verb = if dropped == 1 { "was" } else { "were" };
            let message = format!("{more} of this step {verb} dropped, the limit is {LINE_LIMIT} lines and 64 KiB");
            lines.push(self.line(Level::Warn, None, message));
        }
        lines
    }

    fn line(&self, level: Level, component: Option<String>, message: String) -> LogLine {
        LogLine { at: (self.now)(), level, component, message, attempt: self.attempt }
    }
}

/// The lines since the last step was handed over, which may be taken before the step ends.
#[derive(Clone, Default)]
pub(crate) struct SharedLines(Arc<Mutex<StepLines>>);

#[derive(Default)]
struct StepLines {
    lines: Vec<LogLine>,
    /// Lines and bytes of the step, with those that were taken already.
    count: usize,
    bytes: usize,
    dropped: usize,
}

impl SharedLines {
    /// Takes out the lines so far. They still count for the bounds of the step.
    pub fn take(&self) -> Vec<LogLine> {
        std::mem::take(&mut self.locked().lines)
    }

    /// Adds lines that an execution elsewhere made, which kept the bounds of its steps.
    pub fn extend(&self, lines: Vec<LogLine>) {
        self.locked().lines.extend(lines);
    }

    /// Bytes that the step may still log; if there are none, a line is counted as dropped.
    fn room(&self) -> Option<usize> {
        let mut step = self.locked();
        if step.count >= LINE_LIMIT || step.bytes >= BYTE_LIMIT {
            step.dropped += 1;
            return None;
        }
        Some(BYTE_LIMIT - step.bytes)
    }

    fn push(&self, line: LogLine) {
        let mut step = self.locked();
        step.count += 1;
        step.bytes += line.message.len();
        step.lines.push(line);
    }

    fn locked(&self) -> MutexGuard<'_, StepLines> {
        self.0.lock().expect("no panic happens while it is held")
    }
}

/// The start of a text, cut between characters, marked with `…`.
pub(crate) fn shorten(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(limit)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> Log {
        Log::new(SharedLines::default(), Arc::new(Masks::default()), Arc::new(|| Timestamp::UNIX_EPOCH), 1)
    }

    #[test]
    fn a_step_keeps_a_thousand_lines_and_counts_the_rest() {
        let mut log = log();
        for number in 0..1_500 {
            log.add(Level::Info, Some("a"), format!("line {number}"));
        }

        let lines = log.take();

        assert_eq!(lines.len(), 1_001);
        assert!(lines[1_000].message.starts_with("500 more lines"), "{}", lines[1_000].message);
        assert!(log.take().is_empty());
    }

    #[test]
    fn a_step_keeps_64_kib() {
        let mut log = log();
        for _ in 0..100 {
            log.add(Level::Info, None, "é".repeat(4_000));
        }

        let lines = log.take();

        assert!(lines.iter().map(|line| line.message.len()).sum::<usize>() < 66 * 1024);
        assert!(lines.last().unwrap().message.contains("dropped"));
    }

    #[test]
    fn lines_that_were_taken_during_a_step_come_once_and_count_for_its_bounds() {
        let mut log = log();
        let shared = log.lines.clone();
        log.add(Level::Info, Some("a"), "first");
        let early = shared.take();
        for number in 0..LINE_LIMIT {
            log.add(Level::Info, Some("a"), format!("line {number}"));
        }

        let lines = log.take();

        assert_eq!((early.len(), early[0].message.as_str()), (1, "first"));
        assert_eq!((lines.len(), lines[0].message.as_str()), (LINE_LIMIT, "line 0"));
        assert!(lines[LINE_LIMIT - 1].message.starts_with("1 more line of this step"), "{lines:?}");
        log.add(Level::Info, None, "of the next step");
        assert_eq!(log.take().len(), 1);
    }
}

//! A run's log: bounded per step, and free of secrets.

use crate::secrets::Masks;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

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
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

/// The lines since the last step was handed over.
pub struct Log {
    lines: Vec<LogLine>,
    bytes: usize,
    dropped: usize,
    masks: Arc<Masks>,
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl Log {
    pub(crate) fn new(masks: Arc<Masks>, now: Arc<dyn Fn() -> Timestamp + Send + Sync>) -> Log {
        Log { lines: Vec::new(), bytes: 0, dropped: 0, masks, now }
    }

    /// Adds a line, unless the step's bounds are reached; then it is counted.
    pub fn add(&mut self, level: Level, component: Option<&str>, message: impl AsRef<str>) {
        if self.lines.len() >= LINE_LIMIT || self.bytes >= BYTE_LIMIT {
            self.dropped += 1;
            return;
        }
        // Masked before it is cut, so that no half of a secret survives.
        let message = shorten(&self.masks.apply(message.as_ref()), MESSAGE_LIMIT.min(BYTE_LIMIT - self.bytes));
        self.bytes += message.len();
        self.lines.push(LogLine { at: (self.now)(), level, component: component.map(str::to_owned), message });
    }

    /// Takes the lines out; the last one says how many were dropped.
    pub(crate) fn take(&mut self) -> Vec<LogLine> {
        if self.dropped > 0 {
            let more =
                if self.dropped == 1 { "1 more line".to_owned() } else { format!("{} more lines", self.dropped) };
            let dropped = if self.dropped == 1 { "was" } else { "were" };
            let message = format!("{more} of this step {dropped} dropped, the limit is {LINE_LIMIT} lines and 64 KiB");
            self.lines.push(LogLine { at: (self.now)(), level: Level::Warn, component: None, message });
        }
        (self.bytes, self.dropped) = (0, 0);
        std::mem::take(&mut self.lines)
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
        Log::new(Arc::new(Masks::default()), Arc::new(|| Timestamp::UNIX_EPOCH))
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
}

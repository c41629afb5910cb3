//! The death of a process that executed a run: the run goes on from its last checkpoint in another one, once.

use jiff::Timestamp;
use tidemill_engine::{Death, Level, LogLine};
use tidemill_model::run::{Ended, Failure, Run};

/// Processes that may die of a run before it is given up: it kills them.
pub const ENGINE_DEATHS: u32 = 2;

/// The line that a run's log has of a death after which it goes on.
pub fn line(run: &Run, death: &Death, at: Timestamp) -> LogLine {
    let message = format!("the process that executed it {}; it goes on after the last save", death.message);
    LogLine { at, level: Level::Warn, component: None, message, attempt: run.attempt }
}

/// The end of a run that killed its process again: another attempt would, too.
pub fn failed(death: &Death) -> Ended {
    let message = format!("the process that executed it {}, {ENGINE_DEATHS} times", death.message);
    let failure = Failure { component: None, message, hint: Some(death.hint.clone()) };
    Ended::Failed { failure, retryable: false }
}

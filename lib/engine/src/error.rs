//! Why a run failed: the component, what happened, what to do.

use crate::gauge::Gauge;
use crate::log::LogLine;
use crate::step::Counts;
use crate::trace::TraceEvents;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The end of an execution; after it, the execution is of no more use.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Error {
    /// The component where it happened; `None` if the run as a whole could not start.
    pub component: Option<String>,
    pub message: String,
    pub hint: Option<String>,
    /// Whether the same run, redone from its last checkpoint, may well succeed.
    pub retryable: bool,
    /// What the run counted until it failed.
    pub counts: Box<Counts>,
    /// The lines that no step handed over.
    pub log: Vec<LogLine>,
    /// The events that no step handed over.
    pub traced: Box<TraceEvents>,
}

impl Error {
    /// A run has no plan that can be executed.
    pub fn of_plan(message: impl Into<String>) -> Error {
        Error::of_run(message.into(), None)
    }

    /// The code of a component panicked.
    pub(crate) fn broken(gauge: &Gauge) -> Error {
        let message = "the engine broke off in the middle of this run".to_owned();
        let hint = "this is a fault of Tidemill: report it with the plane's log of this moment".to_owned();
        let counts = Box::new(gauge.counts().unwrap_or_default());
        Error { counts, log: gauge.take_log(), ..Error::of_run(message, Some(hint)) }
    }

    fn of_run(message: String, hint: Option<String>) -> Error {
        Error {
            component: None,
            message,
            hint,
            retryable: false,
            counts: Box::default(),
            log: Vec::new(),
            traced: Box::default(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.component {
            Some(component) => write!(f, "component `{component}`: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for Error {}

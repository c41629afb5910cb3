//! The refusal of a value that came from outside: what happened, and what to do.

use std::fmt;

/// Why a value was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The kind of value, e.g. `project`; protocols name the field by it.
    pub what: &'static str,
    /// What happened, with the value in backticks.
    pub message: String,
    /// What to do.
    pub hint: String,
}

impl Invalid {
    /// A refusal of a kind of value, with its message and its hint.
    pub fn new(what: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Invalid {
        Invalid { what, message: message.into(), hint: hint.into() }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Invalid {}

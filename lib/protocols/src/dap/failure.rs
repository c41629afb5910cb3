//! The answer to a command that fails: one text, because its user sees no more.

use crate::{error_codes, hints};
use std::fmt::Write;
use tidemill_model::key::Scope;
use tidemill_operations::{Code, Detail, Error, Hint};

/// A failed command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub message: String,
    /// For programs; `exc.code` in newer clients.
    pub code: Option<&'static str>,
    /// The socket is of no use any more without a login.
    pub is_final: bool,
}

impl Failure {
    pub fn new(message: impl Into<String>) -> Failure {
        Failure { message: message.into(), code: None, is_final: false }
    }

    pub fn code(mut self, code: Code) -> Failure {
        self.code = Some(error_codes::dap(code));
        self
    }

    pub fn is(&self, code: Code) -> bool {
        self.code == Some(error_codes::dap(code))
    }

    pub fn not_authenticated() -> Failure {
        Failure { is_final: true, ..Failure::new("Not authenticated").code(Code::Unauthenticated) }
    }

    pub fn denied(scope: Scope) -> Failure {
        Failure::new(format!("Permission '{scope}' denied")).code(Code::PermissionDenied)
    }

    pub fn unknown_command(name: &str) -> Failure {
        Failure::new(format!("Invalid command: {}", super::frame::shown(name)))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let is_final = error.code == Code::Unauthenticated;
        error.log();
        let error = error.worded(hints::rocketride);
        let message = match error.details.as_slice() {
            [] => with_hint(&error.message, error.hint.as_ref().map(Hint::to_string).as_deref()),
            [only] => located(only),
            several => listed(&error.message, several),
        };
        Failure { is_final, ..Failure::new(message).code(error.code) }
    }
}

/// Every problem on a line of its own.
fn listed(message: &str, details: &[Detail]) -> String {
    let mut text = format!("{message}:");
    for detail in details {
        // Writing into a text cannot fail.
        let _ = write!(text, "\n- {}", located(detail));
    }
    text
}

/// What is wrong, where, and what to do.
fn located(detail: &Detail) -> String {
    let said = with_hint(&detail.message, detail.hint.as_deref());
    match &detail.component {
        Some(component) if !detail.message.contains(component.as_str()) => format!("component `{component}`: {said}"),
        _ => said,
    }
}

/// A message, then its hint, as one text.
pub fn with_hint(message: &str, hint: Option<&str>) -> String {
    match hint {
        Some(hint) => format!("{message}; hint: {hint}"),
        None => message.to_owned(),
    }
}

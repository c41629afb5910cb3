//! How a command fails: message, hint, and the exit code that scripts branch on.

use crate::api::views::Detail;
use serde::{Deserialize, Serialize};
use std::process::ExitCode;
use tidemill_model::invalid::Invalid;

/// How a command ends. The help of `tidemill` documents the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Done = 0,
    /// The command failed.
    Failed = 1,
    Usage = 2,
    NotFound = 3,
    Denied = 4,
    Conflict = 5,
    Unavailable = 6,
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// Why a command failed, in the form of the API's errors.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Failure {
    pub code: String,
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<Detail>,
    #[serde(skip, default = "Exit::failed")]
    pub exit: Exit,
    /// The project that the refused request named, if it named one.
    #[serde(skip)]
    pub project: Option<Box<str>>,
}

impl Exit {
    fn failed() -> Exit {
        Exit::Failed
    }

    /// The exit code for a refusal with this HTTP status.
    pub fn of_status(status: u16) -> Exit {
        match status {
            401 | 403 => Exit::Denied,
            404 => Exit::NotFound,
            409 => Exit::Conflict,
            429 | 502 | 503 | 504 => Exit::Unavailable,
            _ => Exit::Failed,
        }
    }
}

impl Failure {
    pub fn new(code: &str, message: impl Into<String>) -> Failure {
        Failure {
            code: code.into(),
            message: message.into(),
            hint: None,
            details: Vec::new(),
            exit: Exit::Failed,
            project: None,
        }
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hint = Some(hint.into());
        self
    }

    /// Names the file that this is about, where there are several.
    pub fn of_file(mut self, file: &std::path::Path) -> Failure {
        self.message = format!("`{}`: {}", file.display(), self.message);
        self
    }

    pub fn exit(mut self, exit: Exit) -> Failure {
        self.exit = exit;
        self
    }

    /// An argument has the right form and makes no sense.
    pub fn argument(message: impl Into<String>, hint: impl Into<String>) -> Failure {
        Failure::new("usage", message).hint(hint).exit(Exit::Usage)
    }

    /// The command line cannot be read.
    pub fn usage(error: &clap::Error) -> Failure {
        let text = error.render().to_string();
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let message = lines.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let hint = lines.collect::<Vec<_>>().join("; ");
        Failure { hint: (!hint.is_empty()).then_some(hint), ..Failure::new("usage", message).exit(Exit::Usage) }
    }

    /// A file or folder could not be used.
    pub fn file(what: &str, path: &std::path::Path, error: &std::io::Error) -> Failure {
        let exit = if error.kind() == std::io::ErrorKind::NotFound { Exit::NotFound } else { Exit::Failed };
        Failure::new("file", format!("cannot {what} `{}`: {error}", path.display()))
            .hint("check the path and its permissions")
            .exit(exit)
    }

    /// What is refused for all of these reasons.
    pub fn details(what: &str, details: Vec<Detail>) -> Failure {
        let count = match details.len() {
            1 => "a problem".to_owned(),
            more => format!("{more} problems"),
        };
        Failure { details, ..Failure::new("invalid_argument", format!("{what} has {count}")) }
    }
}

impl From<Invalid> for Failure {
    fn from(invalid: Invalid) -> Failure {
        Failure::argument(invalid.message, invalid.hint)
    }
}

impl From<tidemill_operations::Error> for Failure {
    fn from(error: tidemill_operations::Error) -> Failure {
        use tidemill_operations::Code;
        let (code, exit) = match error.code {
            Code::InvalidArgument => ("invalid_argument", Exit::Failed),
            Code::Unauthenticated => ("unauthenticated", Exit::Denied),
            Code::PermissionDenied => ("permission_denied", Exit::Denied),
            Code::NotFound => ("not_found", Exit::NotFound),
            Code::AlreadyExists => ("already_exists", Exit::Conflict),
            Code::Conflict => ("conflict", Exit::Conflict),
            Code::FailedPrecondition => ("failed_precondition", Exit::Conflict),
            Code::TooLarge => ("too_large", Exit::Failed),
            Code::UnsupportedMediaType => ("unsupported_media_type", Exit::Failed),
            Code::RateLimited => ("rate_limited", Exit::Unavailable),
            Code::RunFailed => ("run_failed", Exit::Failed),
            Code::Unavailable => ("unavailable", Exit::Unavailable),
            Code::DiskFull => ("disk_full", Exit::Unavailable),
            Code::Internal => ("internal", Exit::Failed),
        };
        let hint = error.hint.as_ref().map(tidemill_local::hints::rest);
        let details = error.details.into_iter().map(Detail::from).collect();
        Failure { hint, details, exit, ..Failure::new(code, error.message) }
    }
}

impl From<tidemill_local::StartError> for Failure {
    fn from(error: tidemill_local::StartError) -> Failure {
        Failure { hint: error.hint().map(str::to_owned), ..Failure::new("not_started", error.to_string()) }
    }
}

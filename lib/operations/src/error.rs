//! Why an operation did not do what it was asked: what happened, why, and what to do.

use crate::hint::{Hint, Noun};
use serde::Serialize;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tidemill_model::ids::ProjectId;
use tidemill_model::invalid::Invalid;
use tidemill_model::pipeline::Problem;

/// Most problems that one text lists; the others are counted.
const LINES: usize = 20;

/// When to ask again after what passes by itself.
const MOMENT: Duration = Duration::from_secs(1);

/// When to ask again after the disk was full: a person makes room.
const ROOM: Duration = Duration::from_secs(60);

/// A refusal or a failure. What it shows never holds a path, a secret or another owner's name; its source may, and is
/// for the log of the boundary that handles the error.
#[derive(Clone, Debug)]
pub struct Error {
    pub code: Code,
    pub message: String,
    pub hint: Option<Hint>,
    pub details: Vec<Detail>,
    /// What does not exist, with [`Code::NotFound`].
    pub missing: Option<Noun>,
    /// When to ask again, with [`Code::RateLimited`], [`Code::Unavailable`] and [`Code::DiskFull`].
    pub retry_after: Duration,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// The kinds of errors. `protocols::error_codes` gives each its form on every wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    InvalidArgument,
    Unauthenticated,
    PermissionDenied,
    NotFound,
    AlreadyExists,
    Conflict,
    FailedPrecondition,
    TooLarge,
    UnsupportedMediaType,
    RateLimited,
    RunFailed,
    Unavailable,
    DiskFull,
    Internal,
}

impl Code {
    /// Every code, in the order of the documents.
    pub const ALL: [Code; Code::Internal as usize + 1] = [
        Code::InvalidArgument,
        Code::Unauthenticated,
        Code::PermissionDenied,
        Code::NotFound,
        Code::AlreadyExists,
        Code::Conflict,
        Code::FailedPrecondition,
        Code::TooLarge,
        Code::UnsupportedMediaType,
        Code::RateLimited,
        Code::RunFailed,
        Code::Unavailable,
        Code::DiskFull,
        Code::Internal,
    ];

    /// The word of the HTTP API.
    pub const fn word(self) -> &'static str {
        match self {
            Code::InvalidArgument => "invalid_argument",
            Code::Unauthenticated => "unauthenticated",
            Code::PermissionDenied => "permission_denied",
            Code::NotFound => "not_found",
            Code::AlreadyExists => "already_exists",
            Code::Conflict => "conflict",
            Code::FailedPrecondition => "failed_precondition",
            Code::TooLarge => "too_large",
            Code::UnsupportedMediaType => "unsupported_media_type",
            Code::RateLimited => "rate_limited",
            Code::RunFailed => "run_failed",
            Code::Unavailable => "unavailable",
            Code::DiskFull => "disk_full",
            Code::Internal => "internal",
        }
    }

    /// What it means, as one sentence.
    pub const fn meaning(self) -> &'static str {
        match self {
            Code::InvalidArgument => "The request is malformed, or its pipeline, schedule or settings are invalid.",
            Code::Unauthenticated => "The request has no API key, or the key is unknown, revoked or expired.",
            Code::PermissionDenied => "The key is valid but lacks the scope, or the token belongs to another task.",
            Code::NotFound => "What the request names does not exist, or belongs to another owner.",
            Code::AlreadyExists => "The project, group, rollout or task that the request would create exists already.",
            Code::Conflict => "Another change came first, or the idempotency key belongs to a different request.",
            Code::FailedPrecondition => {
                "The state of the deployment, environment, run or task does not allow this now."
            }
            Code::TooLarge => "The request, or a record that it would write, exceeds a limit.",
            Code::UnsupportedMediaType => "The body is of a type or an encoding that is not read here.",
            Code::RateLimited => "Webhooks, or checks without a key, come more often than they may.",
            Code::RunFailed => "A webhook's sender waited for the run, and it did not succeed.",
            Code::DiskFull => "The disk of a local plane has no room; nothing was written.",
            Code::Unavailable => "The plane could not reach its table in time, or is stopping.",
            Code::Internal => "The plane has a fault; the cause is in its log and not in the answer.",
        }
    }

    /// What a caller does about it, as one sentence.
    pub const fn remedy(self) -> &'static str {
        match self {
            Code::InvalidArgument => "Fix the problems in `details`, then send the request again.",
            Code::Unauthenticated => "Send a live key as `Authorization: Bearer KEY`.",
            Code::PermissionDenied => "Use a key that has the scope the message names.",
            Code::NotFound => "Check the name; a list shows what exists.",
            Code::AlreadyExists => "Update, remove or wait for the one that exists.",
            Code::Conflict => "Read the current state, and repeat the change if you still want it.",
            Code::FailedPrecondition => "Change the state first, as the hint says.",
            Code::TooLarge => "Send less at once, or shorten names, texts and variables.",
            Code::UnsupportedMediaType => "Send one of the types that the hint names.",
            Code::RateLimited => "Wait as long as `Retry-After` says, then send the request again.",
            Code::RunFailed => "The project's owner sees why, by the run's id.",
            Code::DiskFull => "Make room on the disk; what is due waits for it.",
            Code::Unavailable => "Retry the same request after a moment, with the same idempotency key.",
            Code::Internal => "Retry; if it persists, check the plane's log.",
        }
    }
}

/// One of several problems.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Detail {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Error {
    pub fn new(code: Code, message: impl Into<String>) -> Error {
        Error {
            code,
            message: message.into(),
            hint: None,
            details: Vec::new(),
            missing: None,
            retry_after: MOMENT,
            source: None,
        }
    }

    pub fn hint(mut self, hint: impl Into<Hint>) -> Error {
        self.hint = Some(hint.into());
        self
    }

    pub fn details(mut self, details: Vec<Detail>) -> Error {
        self.details = details;
        self
    }

    /// Asks callers not to come again earlier.
    pub fn retry_after(mut self, retry_after: Duration) -> Error {
        self.retry_after = retry_after;
        self
    }

    /// What was asked for too often, and after what time it may be asked for again; on the wire that is whole seconds.
    pub fn rate_limited(message: impl Into<String>, wait: Duration) -> Error {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Error::new(Code::RateLimited, message)
            .hint(format!("try again in {seconds} s"))
            .retry_after(Duration::from_secs(seconds))
    }

    /// Keeps the cause, for the log alone.
    pub fn source(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        self.source = Some(Arc::from(cause.into()));
        self
    }

    /// The hint in a protocol's words.
    pub fn worded(mut self, words: fn(&Hint) -> String) -> Error {
        self.hint = self.hint.map(|hint| Hint::Words(words(&hint)));
        self
    }

    /// The answer for what does not exist and for what belongs to another owner.
    pub fn not_found(noun: Noun, name: impl fmt::Display) -> Error {
        Error::missing(noun, format!("{noun} `{name}` does not exist")).hint(Hint::CheckName(noun))
    }

    /// The answer for what does not exist, in words of its own.
    pub fn missing(noun: Noun, message: impl Into<String>) -> Error {
        Error { missing: Some(noun), ..Error::new(Code::NotFound, message) }
    }

    /// The answer for a version that a project does not have.
    pub fn no_version(project: &ProjectId, number: u32) -> Error {
        Error::missing(Noun::Version, format!("version {number} of `{project}` does not exist"))
            .hint(Hint::CheckVersion)
    }

    /// A pipeline with problems, all of them.
    pub fn problems(problems: Vec<Problem>) -> Error {
        let count = problems.len();
        let (message, hint) = match problems.as_slice() {
            [only] => (only.message.clone(), Hint::Words(only.hint.clone())),
            _ => (format!("the pipeline has {count} problems"), Hint::FixDetails),
        };
        let details = problems.into_iter().map(Detail::from).collect();
        Error::new(Code::InvalidArgument, message).hint(hint).details(details)
    }

    /// The problems one by one: the error itself, if it lists none.
    pub fn listed(&self) -> Vec<Detail> {
        match self.details.is_empty() {
            true => {
                let (message, hint) = (self.message.clone(), self.hint.as_ref().map(Hint::to_string));
                vec![Detail { component: None, field: None, message, hint }]
            }
            false => self.details.clone(),
        }
    }

    /// The whole error as one text of at most `limit` bytes, for callers that show nothing else: a line for each
    /// problem, with what to do.
    pub fn in_lines(&self, limit: usize) -> String {
        let listed = self.listed();
        let mut text = match listed.as_slice() {
            [only] => line(only),
            several => {
                let lines = several.iter().take(LINES).map(|detail| format!("\n- {}", line(detail)));
                let text = self.message.clone() + &lines.collect::<String>();
                match several.len().checked_sub(LINES) {
                    None | Some(0) => text,
                    Some(more) => format!("{text}\n- and {more} more"),
                }
            }
        };
        if text.len() > limit {
            text.truncate(text.floor_char_boundary(limit));
            text.push('…');
        }
        text
    }

    /// A fault of the plane; its cause is for the log alone.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error::new(Code::Internal, "the plane failed to do this; its log says why").hint(Hint::CheckLog).source(cause)
    }

    /// The error for a log line: its message, then the causes. Callers see the message alone.
    pub fn with_causes(&self) -> String {
        let mut text = self.message.clone();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }

    /// Logs a failure of the plane, with its causes. The boundary that handles the error calls it once; a refusal,
    /// which is the caller's to mend, is not logged.
    pub fn log(&self) {
        let code = self.code.word();
        match (self.code, &self.source) {
            (Code::Internal, _) => tracing::error!(code, cause = self.with_causes(), "an operation failed"),
            (_, Some(_)) => tracing::warn!(code, cause = self.with_causes(), "an operation could not be done"),
            (_, None) => {}
        }
    }
}

fn line(Detail { component, message, hint, .. }: &Detail) -> String {
    let component = component.iter().filter(|id| !message.contains(id.as_str()));
    let component: String = component.map(|id| format!("component `{id}`: ")).collect();
    let hint: String = hint.iter().map(|hint| format!("; {hint}")).collect();
    format!("{component}{message}{hint}")
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Two errors are equal if they show the same.
impl PartialEq for Error {
    fn eq(&self, other: &Error) -> bool {
        let shown = |error: &Error| (error.code, error.missing);
        shown(self) == shown(other)
            && (&self.message, &self.hint, &self.details) == (&other.message, &other.hint, &other.details)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source.as_ref() as &(dyn std::error::Error + 'static))
    }
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Error {
        let detail = Detail {
            component: None,
            field: Some(invalid.what.to_owned()),
            message: invalid.message.clone(),
            hint: Some(invalid.hint.clone()),
        };
        Error::new(Code::InvalidArgument, invalid.message).hint(invalid.hint).details(vec![detail])
    }
}

impl From<Problem> for Detail {
    fn from(problem: Problem) -> Detail {
        Detail {
            component: problem.component,
            field: problem.field,
            message: problem.message,
            hint: Some(problem.hint),
        }
    }
}

impl From<tidemill_store::Error> for Error {
    fn from(error: tidemill_store::Error) -> Error {
        use tidemill_store::Error as Store;
        let answer = match &error {
            Store::Rejected(_) => {
                return Error::new(Code::Conflict, "it was modified concurrently").hint(READ_AGAIN);
            }
            Store::Unavailable(_) => {
                Error::new(Code::Unavailable, "the table did not answer in time").hint("try again in a moment")
            }
            Store::TooLarge(cause) => {
                let message = match cause.contains("Item size") {
                    true => "a record would be larger than the table takes, 400 KB",
                    false => "this is larger than the table takes at once, 4 MB",
                };
                Error::new(Code::TooLarge, message).hint("shorten its names, texts and variables, or send less at once")
            }
            Store::DiskFull => {
                let error = Error::new(Code::DiskFull, "the disk is full").retry_after(ROOM);
                return error.hint("make room on the disk of the plane; ticks and runs wait for it");
            }
            Store::Damaged => {
                let error = Error::new(Code::Internal, "the table's file is damaged");
                return error.hint("stop the plane, and restore the table of its data folder from a backup");
            }
            Store::Corrupt(_) | Store::Refused(_) => return Error::internal(error),
        };
        answer.source(error)
    }
}

/// What to do after another writer came first.
pub const READ_AGAIN: &str = "read it again, and repeat the change if you still want it";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_stands_once_in_the_list() {
        for (index, code) in Code::ALL.into_iter().enumerate() {
            assert_eq!(code as usize, index, "{code:?}");
        }
    }

    #[test]
    fn a_fault_keeps_its_causes_for_the_log_and_shows_none() {
        let cause = tidemill_store::Error::Refused("table `x` is gone".to_owned());

        let error = Error::from(cause);

        assert!(!error.to_string().contains("table `x`"), "{error}");
        assert!(!error.in_lines(1000).contains("table `x`"), "{error}");
        assert_eq!(
            error.with_causes(),
            "the plane failed to do this; its log says why: the table refused a request: table `x` is gone"
        );
    }
}

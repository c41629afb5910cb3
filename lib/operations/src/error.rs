//! What an operation answers when it cannot do what it was asked: what happened, and what to do.

use serde::Serialize;
use std::fmt;
use tidemill_model::ids::ProjectId;
use tidemill_model::invalid::Invalid;
use tidemill_model::pipeline::Problem;

/// Things that are wrong of which one text tells; of the others the number is told.
const LINES: usize = 20;

/// A refusal or a failure, fit to be shown: it never holds a path, a secret or another owner's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub code: Code,
    pub message: String,
    pub hint: Option<String>,
    pub details: Vec<Detail>,
}

/// The kinds of refusal. `protocols::error_codes` gives each its form on every wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    InvalidArgument,
    Unauthenticated,
    PermissionDenied,
    NotFound,
    AlreadyExists,
    /// Something else is going on, or went on, that this would clash with.
    Conflict,
    /// The state of things must be changed first.
    FailedPrecondition,
    TooLarge,
    /// Nothing is known to be wrong; the same request may succeed in a moment.
    Unavailable,
    Internal,
}

/// One of several things that are wrong.
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
        Error { code, message: message.into(), hint: None, details: Vec::new() }
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Error {
        self.hint = Some(hint.into());
        self
    }

    /// The answer for what does not exist and for what belongs to somebody else.
    pub fn not_found(what: &str, name: impl fmt::Display) -> Error {
        Error::new(Code::NotFound, format!("{what} `{name}` does not exist"))
            .hint(format!("check the name; {} shows what there is", listing(what)))
    }

    /// The answer for a version that a project does not have.
    pub fn no_version(project: &ProjectId, number: u32) -> Error {
        Error::new(Code::NotFound, format!("version {number} of `{}` does not exist", project))
            .hint(format!("check the number; {} shows what there is", listing("version")))
    }

    /// A pipeline that was refused, with everything that is wrong with it.
    pub fn problems(problems: Vec<Problem>) -> Error {
        let count = problems.len();
        let message = match problems.as_slice() {
            [only] => only.message.clone(),
            _ => format!("the pipeline has {count} problems"),
        };
        let hint = match problems.as_slice() {
            [only] => only.hint.clone(),
            _ => "mend what `details` lists".to_owned(),
        };
        let details = problems.into_iter().map(Detail::from).collect();
        Error { code: Code::InvalidArgument, message, hint: Some(hint), details }
    }

    /// What is wrong, one by one: itself, if it lists nothing.
    pub fn listed(&self) -> Vec<Detail> {
        match self.details.is_empty() {
            true => {
                let (message, hint) = (self.message.clone(), self.hint.clone());
                vec![Detail { component: None, field: None, message, hint }]
            }
            false => self.details.clone(),
        }
    }

    /// All that it says as one text of up to so many bytes, for where nothing else is shown: a line for each thing that
    /// is wrong, with what to do.
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

    /// A failure whose cause is for the log alone.
    pub fn internal(cause: impl fmt::Display) -> Error {
        tracing::error!(%cause, "an operation failed");
        Error::new(Code::Internal, "the plane failed to do this; its log says why")
            .hint("try again; if it stays, look into the log of the plane")
    }
}

fn line(Detail { component, message, hint, .. }: &Detail) -> String {
    let component = component.iter().filter(|id| !message.contains(id.as_str()));
    let component: String = component.map(|id| format!("component `{id}`: ")).collect();
    let hint: String = hint.iter().map(|hint| format!("; {hint}")).collect();
    format!("{component}{message}{hint}")
}

/// Where people see what there is of a kind.
fn listing(what: &str) -> &'static str {
    match what {
        "project" => "`tidemill list`",
        "version" => "`tidemill versions`",
        "run" => "`tidemill runs`",
        "group" => "`tidemill groups`",
        "rollout" => "`tidemill rollouts`",
        "key" => "`tidemill keys list`",
        "secret" => "`tidemill secrets list`",
        _ => "the list of them",
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Error {
        let detail = Detail {
            component: None,
            field: Some(invalid.what.to_owned()),
            message: invalid.message.clone(),
            hint: Some(invalid.hint.clone()),
        };
        Error { code: Code::InvalidArgument, message: invalid.message, hint: Some(invalid.hint), details: vec![detail] }
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
        match error {
            Store::Rejected(_) => Error::new(Code::Conflict, "somebody else changed this at the same time")
                .hint("read it again, and repeat the change if it is still wanted"),
            Store::Unavailable(cause) => {
                tracing::warn!(cause, "the table did not answer");
                Error::new(Code::Unavailable, "the table did not answer in time").hint("try again in a moment")
            }
            Store::TooLarge(cause) => {
                tracing::warn!(cause, "too large for the table");
                let of_item = cause.contains("Item size");
                let message = match of_item {
                    true => "a record would be larger than the table takes, 400 KB",
                    false => "this is larger than the table takes at once, 4 MB",
                };
                Error::new(Code::TooLarge, message).hint("shorten its names, texts and variables, or send less at once")
            }
            Store::Corrupt(cause) | Store::Refused(cause) => Error::internal(cause),
        }
    }
}

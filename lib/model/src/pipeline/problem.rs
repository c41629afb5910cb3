//! One reason why a pipeline is refused, or one warning: where, what happened, and what to do.

use crate::ids::is_unseen;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What is wrong with one place of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    pub code: ProblemCode,
    /// The component's id, if the problem belongs to one that has an id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// A JSON pointer into the pipeline, e.g. `/components/3/config/path`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What happened, with the value in backticks.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// The kinds of problems; clients may branch on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    // The text and its shape.
    TooLarge,
    TooDeep,
    TooManyComponents,
    NotJson,
    DuplicateKey,
    MissingField,
    WrongType,
    InvalidValue,
    UnknownField,
    // The graph.
    DuplicateId,
    UnknownProvider,
    LocalOnlyProvider,
    MissingSource,
    AmbiguousSource,
    UnknownSource,
    NotASource,
    UnknownLane,
    UnknownFrom,
    LaneNotGiven,
    LaneNotTaken,
    InputIntoSource,
    MissingInput,
    Cycle,
    // The config of a component.
    MissingProperty,
    UnknownProperty,
    InvalidConfig,
    // Warnings.
    Unreachable,
    RepeatedInput,
    WaitingSourceOnSchedule,
    TimerWithoutSchedule,
    MisplacedField,
    DerivedProject,
    MalformedName,
    UnsetSecret,
    LiteralCredential,
    // The report itself.
    MoreProblems,
}

impl Problem {
    /// A problem of the whole pipeline; [`Problem::of`] and [`Problem::at`] narrow it down.
    pub fn new(code: ProblemCode, message: impl Into<String>, hint: impl Into<String>) -> Problem {
        Problem { code, component: None, field: None, message: message.into(), hint: hint.into() }
    }

    /// Names the component.
    pub fn of(mut self, component: &str) -> Problem {
        self.component = Some(component.to_owned());
        self
    }

    /// Names the field by its JSON pointer.
    pub fn at(mut self, field: impl Into<String>) -> Problem {
        self.field = Some(field.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

/// Text from outside between backticks: escaped, and cut to what a message can bear.
pub fn quoted(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        None => format!("`{}`", escaped(text)),
        Some((end, _)) => format!("`{}…`", escaped(&text[..end])),
    }
}

/// Escapes control characters only, of terminals and of directions: quotes and other scripts stay readable.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unseen(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// One step of a JSON pointer. <https://www.rfc-editor.org/rfc/rfc6901>
pub fn pointer_step(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

//! One reason why a pipeline is refused, or one warning: where, what happened, and what to do.

use crate::ids::is_unseen;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What is wrong with one place of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Its kind, for programs.
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
    /// The text has more than [`super::limits::TEXT_BYTES`].
    TooLarge,
    /// Objects and arrays are nested deeper than [`super::limits::JSON_DEPTH`].
    TooDeep,
    /// There are more than [`super::limits::COMPONENTS`].
    TooManyComponents,
    /// The text is not JSON.
    NotJson,
    /// An object has the same key twice.
    DuplicateKey,
    /// A field that must be there is not.
    MissingField,
    /// A field has another JSON type than it must have.
    WrongType,
    /// A field has the right type and a value outside of its rule.
    InvalidValue,
    /// The format has no such field there.
    UnknownField,
    // The graph.
    /// Two components have the same id.
    DuplicateId,
    /// No provider has this name.
    UnknownProvider,
    /// The provider works on a laptop's plane alone.
    LocalOnlyProvider,
    /// No component is a source.
    MissingSource,
    /// There are several sources, and `source` names none of them.
    AmbiguousSource,
    /// `source` names no component.
    UnknownSource,
    /// `source` names a component that is no source.
    NotASource,
    /// No lane has this name.
    UnknownLane,
    /// An input comes from a component that is not there.
    UnknownFrom,
    /// The component at the other end does not give this lane.
    LaneNotGiven,
    /// The component does not take this lane.
    LaneNotTaken,
    /// A source has an input.
    InputIntoSource,
    /// A component that needs input has none.
    MissingInput,
    /// Values would flow in a circle.
    Cycle,
    // The config of a component.
    /// A config lacks a key that its provider requires.
    MissingProperty,
    /// A config has a key that its provider does not know.
    UnknownProperty,
    /// A value in a config breaks its provider's schema.
    InvalidConfig,
    // Warnings.
    /// Nothing that the source gives can arrive at the component.
    Unreachable,
    /// A component has the same input twice.
    RepeatedInput,
    /// A schedule starts runs at a source that waits for a caller.
    WaitingSourceOnSchedule,
    /// The source is a timer, and no schedule starts it.
    TimerWithoutSchedule,
    /// A field of a deploy file stands in the pipeline, where nothing reads it.
    MisplacedField,
    /// The pipeline names no project; the file's name stands in for it.
    DerivedProject,
    /// A `${…}` holds what is no name of a secret or variable, and is passed on as it stands.
    MalformedName,
    /// A config names a secret that is not set.
    UnsetSecret,
    /// A text looks like a credential that belongs into a secret.
    LiteralCredential,
    // The report itself.
    /// There are more than [`super::limits::PROBLEMS`]; the rest is left out.
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

//! What a caller can do about an error. A hint that depends on the caller's program is a variant, and each protocol
//! words it for its own users; its `Display` fits all of them.

use std::fmt;
use tidemill_model::ids::RolloutId;
use tidemill_model::key::Scope;

/// What to do about an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint {
    /// Words that fit every caller.
    Words(String),
    /// The name may be misspelled: a list shows those that exist.
    CheckName(Noun),
    /// The number of a version may be wrong: a list shows those that exist.
    CheckVersion,
    /// The request carries no API key.
    SendKey,
    /// The key lacks a scope.
    UseScope(Scope),
    /// The group has another rollout.
    WaitForRollout(RolloutId),
    /// No such task is open.
    OpenTask,
    /// The problems are listed beside the message.
    FixDetails,
    /// The cause is in the plane's log.
    CheckLog,
}

/// What a user can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noun {
    Project,
    Version,
    Environment,
    /// A component of a pipeline that runs start at.
    Source,
    Run,
    Group,
    Rollout,
    Deployment,
    Key,
    Secret,
}

impl Noun {
    pub const fn as_str(self) -> &'static str {
        match self {
            Noun::Project => "project",
            Noun::Version => "version",
            Noun::Environment => "environment",
            Noun::Source => "source",
            Noun::Run => "run",
            Noun::Group => "group",
            Noun::Rollout => "rollout",
            Noun::Deployment => "deployment",
            Noun::Key => "key",
            Noun::Secret => "secret",
        }
    }
}

impl fmt::Display for Noun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hint::Words(words) => f.write_str(words),
            Hint::CheckName(_) => f.write_str("check the name"),
            Hint::CheckVersion => f.write_str("check the number"),
            Hint::SendKey => f.write_str("send it with the request"),
            Hint::UseScope(scope) => write!(f, "use a key that has the scope `{scope}`"),
            Hint::WaitForRollout(_) => f.write_str("wait for it, or cancel it"),
            Hint::OpenTask => f.write_str("open one first"),
            Hint::FixDetails => f.write_str("fix the problems in `details`"),
            Hint::CheckLog => f.write_str("try again; if it persists, check the plane's log"),
        }
    }
}

impl From<&str> for Hint {
    fn from(words: &str) -> Hint {
        Hint::Words(words.to_owned())
    }
}

impl From<String> for Hint {
    fn from(words: String) -> Hint {
        Hint::Words(words)
    }
}

//! Ids and names, each a type of its own so that two of them cannot be swapped. They share their text, so a clone is
//! cheap.

use crate::invalid::Invalid;
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use std::sync::Arc;

/// Longest name part, in characters: owners, projects, secrets, environments.
pub const NAME_LIMIT: usize = 256;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $parse:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks a text and takes it as it is.
            pub fn parse(text: impl AsRef<str>) -> Result<Self, Invalid> {
                let text = text.as_ref();
                let check: fn(&str) -> Result<(), Invalid> = $parse;
                check(text)?;
                Ok($name(text.into()))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = Invalid;

            fn try_from(text: String) -> Result<Self, Invalid> {
                $name::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.as_str().to_owned()
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    };
}

macro_rules! shown_as_it_is {
    ($($name:ident),*) => {
        $(impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        })*
    };
}

shown_as_it_is!(
    OwnerId,
    ProjectId,
    GroupName,
    LogicalId,
    EnvironmentName,
    SecretName,
    RunId,
    RolloutId,
    KeyId,
    HookId,
    ConnectionId
);

text_id!(
    /// The user who owns things: 1 to 256 of `a-z A-Z 0-9 . _ @ -`.
    OwnerId,
    |text| simple_name("owner", text, ".@_-")
);
text_id!(
    /// A pipeline's `project_id`: opaque, case-sensitive, 1 to 256 characters, no control characters.
    ProjectId,
    |text| name("project", text)
);
text_id!(
    /// A named live pointer of projects, e.g. `production`: 1 to 64 of `a-z A-Z 0-9 . _ -`, or `@me`, its owner's own.
    EnvironmentName,
    environment_name
);
text_id!(
    /// The name of a secret, as `${NAME}` in a config: 1 to 256 of `A-Z a-z 0-9 _`, no digit first.
    SecretName,
    secret_name
);
text_id!(
    /// A run's id: a ULID, so that ids sort by the time of their making.
    RunId,
    |text| ulid_text("run", text)
);
text_id!(
    /// Pipelines that are rolled out together: as a project's id.
    GroupName,
    |text| name("group", text)
);
text_id!(
    /// What a group knows a pipeline by: as a project's id.
    LogicalId,
    |text| name("logical", text)
);
text_id!(
    /// A rollout's id: a ULID, so that ids sort by the time of their making.
    RolloutId,
    |text| ulid_text("rollout", text)
);
text_id!(
    /// The public id of an API key: a ULID.
    KeyId,
    |text| ulid_text("key", text)
);
text_id!(
    /// The unguessable name of a webhook endpoint: 26 characters that hold 128 random bits.
    HookId,
    |text| ulid_text("hook", text)
);

text_id!(
    /// A WebSocket of API Gateway, as that calls it: 1 to 128 visible characters of ASCII.
    ConnectionId,
    connection_id
);

impl EnvironmentName {
    /// The environment that everybody begins with.
    pub const PRODUCTION: &str = "production";
    /// An owner's private one.
    pub const OWN: &str = "@me";
}

impl RunId {
    /// Makes an id from its time (milliseconds since 1970, 48 bits are kept) and 80 random bits.
    pub fn new(at: jiff::Timestamp, random: u128) -> RunId {
        RunId(ulid(at, random).into())
    }

    /// The time of the id's making.
    pub fn made_at(&self) -> jiff::Timestamp {
        let value = self.0.chars().fold(0u128, |value, c| value << 5 | crockford_value(c).unwrap_or(0) as u128);
        jiff::Timestamp::from_millisecond((value >> 80) as i64).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }

    /// The first and the last id that begin with a text, the same one if it is a whole id; `None` if no id begins so.
    pub fn first_and_last(beginning: &str) -> Option<(RunId, RunId)> {
        Some((RunId::parse(format!("{beginning:0<26}")).ok()?, RunId::parse(format!("{beginning:Z<26}")).ok()?))
    }
}

impl RolloutId {
    /// Makes an id from its time and 80 random bits.
    pub fn new(at: jiff::Timestamp, random: u128) -> RolloutId {
        RolloutId(ulid(at, random).into())
    }
}

impl KeyId {
    /// Makes an id from its time and 80 random bits.
    pub fn new(at: jiff::Timestamp, random: u128) -> KeyId {
        KeyId(ulid(at, random).into())
    }
}

impl HookId {
    /// Makes an id from 128 random bits.
    pub fn new(random: u128) -> HookId {
        HookId(crockford(random).into())
    }
}

/// A ULID's text. <https://github.com/ulid/spec>
fn ulid(at: jiff::Timestamp, random: u128) -> String {
    let time = at.as_millisecond().max(0) as u128 & ((1 << 48) - 1);
    crockford(time << 80 | random & ((1 << 80) - 1))
}

const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// 128 bits as 26 characters of Crockford's base 32, most significant first, so that texts sort as numbers.
fn crockford(value: u128) -> String {
    (0..26).rev().map(|digit| CROCKFORD[(value >> (digit * 5) & 31) as usize] as char).collect()
}

fn crockford_value(c: char) -> Option<usize> {
    CROCKFORD.iter().position(|known| *known as char == c)
}

fn ulid_text(what: &'static str, text: &str) -> Result<(), Invalid> {
    let well_formed = text.len() == 26 && text.starts_with(|c| ('0'..='7').contains(&c));
    if well_formed && text.chars().all(|c| crockford_value(c).is_some()) {
        return Ok(());
    }
    Err(Invalid::new(
        what,
        format!("{what} id `{}` is not an id", shorten(text)),
        "ids have 26 characters, e.g. `01JD7Z8K3M4N5P6Q7R8S9T0V1W`",
    ))
}

fn connection_id(text: &str) -> Result<(), Invalid> {
    if (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    let message = format!("connection id `{}` is not an id", shorten(text));
    Err(Invalid::new("connection", message, "give it as API Gateway does: 1 to 128 visible characters of ASCII"))
}

fn simple_name(what: &'static str, text: &str, marks: &str) -> Result<(), Invalid> {
    length(what, text)?;
    match text.chars().find(|c| !c.is_ascii_alphanumeric() && !marks.contains(*c)) {
        None => Ok(()),
        Some(c) => Err(Invalid::new(
            what,
            format!("{what} name `{}` has the character `{}`", shorten(text), c.escape_default()),
            format!("use letters, digits and `{marks}`"),
        )),
    }
}

/// Longest name of an environment, in characters.
const ENVIRONMENT_LIMIT: usize = 64;

fn environment_name(text: &str) -> Result<(), Invalid> {
    if text == EnvironmentName::OWN {
        return Ok(());
    }
    simple_name("environment", text, "._-")?;
    if text.len() > ENVIRONMENT_LIMIT {
        return Err(Invalid::new(
            "environment",
            format!("the environment's name has {} characters, the limit is {ENVIRONMENT_LIMIT}", text.len()),
            format!("shorten it to {ENVIRONMENT_LIMIT} characters"),
        ));
    }
    Ok(())
}

fn secret_name(text: &str) -> Result<(), Invalid> {
    simple_name("secret", text, "_")?;
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(Invalid::new(
            "secret",
            format!("secret name `{}` starts with a digit", shorten(text)),
            "start it with a letter, e.g. `API_TOKEN`",
        ));
    }
    Ok(())
}

fn name(what: &'static str, text: &str) -> Result<(), Invalid> {
    length(what, text)?;
    match text.chars().find(|c| c.is_control()) {
        None => Ok(()),
        Some(c) => Err(unseen(what, text, c)),
    }
}

fn unseen(what: &'static str, text: &str, c: char) -> Invalid {
    Invalid::new(
        what,
        format!("{what} id `{}` has the control character `{}`", shorten(text), c.escape_default()),
        "remove it; control characters and those that set the direction of a text are not allowed",
    )
}

/// Refuses a name for something new that cannot be said everywhere.
///
/// A URL takes `.` and `..` for steps of its path, and a character that is not seen, or that turns others around, cannot be
/// read off and typed. What has such a name from before stays readable, so that it can be removed.
pub fn nameable(what: &'static str, text: &str) -> Result<(), Invalid> {
    if matches!(text, "." | "..") {
        let message = format!("{what} id `{text}` is a step of a path, which no URL can name");
        return Err(Invalid::new(what, message, "choose another name, e.g. `orders`"));
    }
    match text.chars().find(|c| is_unseen(*c)) {
        None => Ok(()),
        Some(c) => Err(unseen(what, text, c)),
    }
}

/// Whether a character is one of control: of a terminal, of lines, or of the direction of a text.
/// <https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters>
pub(crate) fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn length(what: &'static str, text: &str) -> Result<(), Invalid> {
    let count = text.chars().count();
    if count == 0 {
        return Err(Invalid::new(what, format!("{what} id is empty"), "give 1 to 256 characters"));
    }
    if count > NAME_LIMIT {
        return Err(Invalid::new(
            what,
            format!("{what} id has {count} characters, the limit is {NAME_LIMIT}"),
            format!("shorten it to {NAME_LIMIT} characters"),
        ));
    }
    Ok(())
}

/// The start of a text that came from outside, short enough for an error message.
fn shorten(text: &str) -> String {
    match text.char_indices().nth(40) {
        None => text.escape_debug().to_string(),
        Some((end, _)) => format!("{}…", text[..end].escape_debug()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_their_time_and_give_it_back() {
        let early = jiff::Timestamp::from_millisecond(1_700_000_000_000).unwrap();
        let late = jiff::Timestamp::from_millisecond(1_700_000_000_001).unwrap();

        let (first, second) = (RunId::new(early, u128::MAX), RunId::new(late, 0));

        assert!(first < second);
        assert_eq!(first.made_at(), early);
        assert_eq!(RunId::parse(first.as_str()), Ok(first));
    }

    #[test]
    fn the_beginning_of_an_id_bounds_the_time_of_its_making() {
        let at = jiff::Timestamp::from_millisecond(1_700_000_000_000).unwrap();
        let id = RunId::new(at, 7);

        for length in 1..=26 {
            let (first, last) = RunId::first_and_last(&id.as_str()[..length]).unwrap();
            assert!(first <= id && id <= last && (first == last) == (length == 26), "{first} {last}");
        }
        for text in ["8", "0L", "orders", "01J D", "000000000000000000000000000"] {
            assert_eq!(RunId::first_and_last(text), None, "{text}");
        }
    }

    #[test]
    fn a_project_id_may_hold_slashes_dots_and_any_script() {
        for text in ["../../etc", "team/pw#1.x", "проект 1", "a b"] {
            assert_eq!(ProjectId::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn names_that_break_a_rule_are_refused_with_the_rule() {
        assert!(ProjectId::parse("").unwrap_err().message.contains("is empty"));
        assert!(ProjectId::parse("a\u{0}b").unwrap_err().message.contains("control character"));
        for text in [".", "..", "a\u{202e}b", "\u{2066}a", "\u{200f}", "a\u{2028}b", "\u{85}"] {
            assert!(nameable("project", text).is_err(), "{text:?}");
        }
        assert!(nameable("project", "...").is_ok());
        assert_eq!(ProjectId::parse("..").unwrap().as_str(), "..", "one that was stored before is read");
        assert!(ProjectId::parse("x".repeat(257)).unwrap_err().message.contains("limit is 256"));
        assert!(OwnerId::parse("a#b").unwrap_err().message.contains("has the character `#`"));
        assert!(SecretName::parse("9A").unwrap_err().message.contains("starts with a digit"));
        assert!(RunId::parse("81JD7Z8K3M4N5P6Q7R8S9T0V1W").is_err(), "more than 128 bits");
    }
}

//! Every sentence that a refused schedule or zone is answered with.

use super::field::Field;
use super::parse::{MANUAL, MAX_CHARACTERS, PRESETS};
use thiserror::Error;

/// Why a schedule or a zone was refused: `Display` says what happened, [`ParseError::hint`] what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{reason}")]
pub struct ParseError {
    position: usize,
    reason: Reason,
}

impl ParseError {
    pub(super) fn new(position: usize, reason: Reason) -> ParseError {
        ParseError { position, reason }
    }

    /// Where the text goes wrong, in characters from 0; the text's length where something is missing.
    pub fn position(&self) -> usize {
        self.position
    }

    /// What to do about it.
    pub fn hint(&self) -> String {
        self.reason.hint()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum Reason {
    #[error("schedule is empty")]
    Empty,
    #[error("schedule has {characters} characters, at most {MAX_CHARACTERS} are allowed")]
    TooLong { characters: usize },
    #[error("schedule has a line break")]
    LineBreak,
    #[error("schedule has the character `{}`, only ASCII is allowed", .character.escape_unicode())]
    Character { character: char },
    #[error("schedule `{text}` has {found} field{}, expected 5", if *.found == 1 { "" } else { "s" })]
    FieldCount { text: String, found: usize },
    #[error("schedule `{text}` is not written as five fields")]
    Phrase { text: String, meant: String },
    #[error("schedule `{text}` is unknown")]
    Keyword { text: String, meant: Option<&'static str> },
    #[error("{} has an empty value", .field.name)]
    EmptyValue { field: &'static Field },
    #[error("{} `{value}` is not {}", .field.name, expected(.field))]
    Value { field: &'static Field, value: String },
    #[error("{} `{value}` is not between {} and {}", .field.name, .field.min, .field.top)]
    OutOfRange { field: &'static Field, value: String },
    #[error("{} `{value}` has the step `{step}`, expected 1 to {}", .field.name, .field.size())]
    Step { field: &'static Field, value: String, step: String },
    #[error("{} `{value}` uses {}, which is not supported", .field.name, .extension.name())]
    Extension { field: &'static Field, value: String, extension: Extension },
    #[error("schedule `{text}` never fires")]
    NeverFires { text: String },
    #[error("schedule `{text}` never fires in timezone `{zone}`")]
    NeverFiresInZone { text: String, zone: String },
    #[error("timezone `{}` is unknown", .name.escape_debug())]
    Zone { name: String, nearest: Option<String> },
}

/// What other schedulers have beyond numbers, names, lists, ranges and steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extension {
    Hash,
    Last,
    NearestWorkday,
    NoValue,
    NthWeekday,
    Random,
}

impl Extension {
    fn name(self) -> &'static str {
        match self {
            Extension::Hash => "`H` (a value picked by hash)",
            Extension::Last => "`L` (the last)",
            Extension::NearestWorkday => "`W` (the nearest working day)",
            Extension::NoValue => "`?` (no value)",
            Extension::NthWeekday => "`#` (the nth weekday of the month)",
            Extension::Random => "`R` or `~` (a random value)",
        }
    }

    fn hint(self, field: &Field) -> String {
        match self {
            Extension::Hash | Extension::Random => {
                format!("choose the {} yourself, e.g. `{}`", field.name, field.max / 2)
            }
            Extension::Last if field.name == "day of week" => "name the weekday, e.g. `fri`".into(),
            Extension::Last => "name a day that every month has, e.g. `28`".into(),
            Extension::NearestWorkday => {
                "name the day, e.g. `15 * *`, or every working day in the last field, e.g. `* * mon-fri`".into()
            }
            Extension::NoValue => "write `*`".into(),
            Extension::NthWeekday => {
                "name the weekday, e.g. `* * fri`, or the week's days of the month, e.g. `8-14 * *`".into()
            }
        }
    }
}

impl Reason {
    fn hint(&self) -> String {
        match self {
            Reason::Empty => format!("write five fields, e.g. `0 6 * * *`, a preset such as `@daily`, or `{MANUAL}`"),
            Reason::TooLong { .. } => "use ranges and steps, e.g. `0-30/5`, or several deployments".into(),
            Reason::LineBreak => "write one schedule on one line".into(),
            Reason::Character { .. } => "type it anew with plain blanks, digits and letters".into(),
            Reason::FieldCount { text, found: ..5 } => match completed(text) {
                Some(whole) => {
                    format!("add the missing fields for minute, hour, day, month and weekday, e.g. `{whole}`")
                }
                None => "write five fields for minute, hour, day, month and weekday, e.g. `*/5 * * * *`".into(),
            },
            Reason::Phrase { meant, .. } => format!("write `{meant}`"),
            Reason::FieldCount { .. } => "leave out seconds and years: minute, hour, day, month, weekday".into(),
            Reason::Keyword { meant: Some(meant), .. } => format!("write `{meant}`"),
            Reason::Keyword { .. } => {
                let names: Vec<_> = PRESETS.iter().map(|(name, _)| format!("`{name}`")).collect();
                format!("write five fields, e.g. `*/5 * * * *`, or one of {}", names.join(", "))
            }
            Reason::EmptyValue { .. } => "remove the surplus comma".into(),
            Reason::Value { field, value } => match short_name(field, value) {
                Some(name) => format!("write `{name}`"),
                None => format!("write `*`, or {} to {} as in `{},{}`", field.min, field.top, field.min, field.max),
            },
            Reason::OutOfRange { field, .. } => format!("write {} to {}, or `*` for all", field.min, field.top),
            Reason::Step { field, .. } => {
                format!("write e.g. `*/{}`, or `{}` for one value", field.size() / 2, field.min)
            }
            Reason::Extension { field, extension, .. } => extension.hint(field),
            Reason::NeverFires { .. } => "choose a day that one of its months has".into(),
            Reason::NeverFiresInZone { .. } => "choose a time that the zone's clock does not jump over".into(),
            Reason::Zone { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
            Reason::Zone { nearest: None, .. } => "write an IANA name such as `Europe/Berlin`, or `UTC`".into(),
        }
    }
}

fn expected(field: &Field) -> String {
    match field.names {
        [first, .., last] => format!("a number or one of `{first}` to `{last}`"),
        _ => "a number".into(),
    }
}

/// The field's name that `value` starts with: `Monday` is `mon`.
fn short_name(field: &Field, value: &str) -> Option<&'static str> {
    let start = value.get(..3)?;
    let letters = value.bytes().all(|byte| byte.is_ascii_alphabetic());
    field.names.iter().copied().find(|name| letters && name.eq_ignore_ascii_case(start))
}

/// The text with the fields that it lacks, if that makes a schedule.
fn completed(text: &str) -> Option<String> {
    let mut fields: Vec<_> = text.split_ascii_whitespace().collect();
    fields.resize(5, "*");
    let whole = fields.join(" ");
    super::parse::schedule(&whole).is_ok().then_some(whole)
}

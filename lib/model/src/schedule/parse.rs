//! Text to fields: the whole expression. One field is `field`'s.

use super::error::{ParseError, Reason};
use super::field::{self, Values};
use super::fields::{ALL_DAYS, ALL_WEEKDAYS, Fields};
use super::phrase;
use std::borrow::Cow;

pub(super) const MANUAL: &str = "manual";
pub(super) const MAX_CHARACTERS: usize = 256;

pub(super) const PRESETS: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

/// A field's text and where it starts.
type Part<'a> = (usize, &'a str);

/// The text to keep, and its due minutes; none is `manual`.
pub(super) fn schedule(text: &str) -> Result<(Cow<'static, str>, Option<Fields>), ParseError> {
    if text == MANUAL {
        return Ok((Cow::Borrowed(MANUAL), None));
    }
    if text.starts_with('@')
        && let Some((name, expression)) = PRESETS.iter().find(|(name, _)| *name == text)
    {
        return Ok((Cow::Borrowed(*name), Some(fields(expression)?)));
    }
    let fields = fields(text).map_err(|error| meant(text).unwrap_or(error))?;
    Ok((Cow::Owned(text.to_owned()), Some(fields)))
}

/// The refusal of English, with what it says in cron; `None` for a preset with other letters or blanks, too.
fn meant(text: &str) -> Option<ParseError> {
    let has_name = names().any(|name| name.eq_ignore_ascii_case(text.trim()));
    let meant = phrase::cron(text).filter(|_| !has_name && text.len() <= MAX_CHARACTERS)?;
    Some(ParseError::new(0, Reason::Phrase { text: text.to_owned(), meant }))
}

fn names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|(name, _)| *name).chain([MANUAL])
}

fn fields(text: &str) -> Result<Fields, ParseError> {
    check_characters(text)?;
    let [minute, hour, day, month, weekday] = split(text)?;
    let real_time = [minute, hour].iter().any(|(_, text)| text.starts_with('*'));
    let minutes = field::MINUTE.parse(minute)?.bits;
    let hours = field::HOUR.parse(hour)?.bits as u32;
    let days = field::DAY.parse(day)?;
    let months = field::MONTH.parse(month)?.bits as u16;
    let weekdays = field::WEEKDAY.parse(weekday)?;
    let (days, weekdays) = due_days((day.1, days), (weekday.1, weekdays));

    let fields = Fields { minutes, hours, days, months, weekdays, real_time }.normal();
    if fields.never_fires() {
        return Err(ParseError::new(day.0, Reason::NeverFires { text: text.to_owned() }));
    }
    Ok(fields)
}

/// If both fields are restricted, a day that either of them has is due. Only `*` as a value of its own leaves a field
/// unrestricted, so `*/2` restricts, and so does `1-31`. The one exception is croniter's: a field that lists all its
/// values counts as `*` beside a field with an asterisk, so `*/2 * 1-7` is every second day, not every day.
fn due_days((day, days): (&str, Values), (weekday, weekdays): (&str, Values)) -> (u32, u8) {
    let (day_bits, weekday_bits) = (days.bits as u32, weekdays.bits as u8);
    let any_day = days.star || day_bits == ALL_DAYS && weekday.contains('*');
    let any_weekday = weekdays.star || weekday_bits == ALL_WEEKDAYS && day.contains('*');
    match (any_day, any_weekday) {
        (true, true) => (ALL_DAYS, 0),
        (true, false) => (0, weekday_bits),
        (false, true) => (day_bits, 0),
        (false, false) => (day_bits, weekday_bits),
    }
}

fn check_characters(text: &str) -> Result<(), ParseError> {
    if text.len() > MAX_CHARACTERS {
        let characters = text.chars().count();
        if characters > MAX_CHARACTERS {
            return Err(ParseError::new(MAX_CHARACTERS, Reason::TooLong { characters }));
        }
    }
    if text.bytes().all(|byte| byte == b'\t' || byte == b' ' || byte.is_ascii_graphic()) {
        return Ok(());
    }
    let refused = |character: &char| *character != '\t' && *character != ' ' && !character.is_ascii_graphic();
    let (position, character) =
        text.chars().enumerate().find(|(_, character)| refused(character)).expect("a byte outside of ASCII was seen");
    let reason = match character {
        '\n' | '\r' => Reason::LineBreak,
        character => Reason::Character { character },
    };
    Err(ParseError::new(position, reason))
}

fn split(text: &str) -> Result<[Part<'_>; 5], ParseError> {
    let mut parts = [(0, ""); 5];
    let mut found = 0;
    let mut surplus = None;
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if is_blank(bytes[at]) {
            at += 1;
            continue;
        }
        let start = at;
        while at < bytes.len() && !is_blank(bytes[at]) {
            at += 1;
        }
        match parts.get_mut(found) {
            Some(part) => *part = (start, &text[start..at]),
            None => surplus = surplus.or(Some(start)),
        }
        found += 1;
    }
    if found == parts.len() {
        return Ok(parts);
    }
    let reason = miscounted(text, found);
    let position = match reason {
        Reason::Keyword { .. } => parts[0].0,
        _ => surplus.unwrap_or(text.len()),
    };
    Err(ParseError::new(position, reason))
}

fn miscounted(text: &str, found: usize) -> Reason {
    let text = text.to_owned();
    let word = text.trim();
    match found {
        0 => Reason::Empty,
        _ if word.starts_with('@') || names().any(|name| name.eq_ignore_ascii_case(word)) => {
            let meant = names().find(|name| name.eq_ignore_ascii_case(word));
            Reason::Keyword { text, meant }
        }
        _ => Reason::FieldCount { text, found },
    }
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

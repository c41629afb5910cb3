//! Why a part of a field cannot be read: names what the author probably meant.

use super::error::{Extension, Reason};
use super::field::Field;

/// For an item that holds neither numbers nor the field's names.
pub(super) fn value(field: &'static Field, item: &str) -> Reason {
    let value = item.to_owned();
    if item.is_empty() {
        return Reason::EmptyValue { field };
    }
    match extension(&item.to_ascii_lowercase()) {
        Some(extension) => Reason::Extension { field, value, extension },
        None => Reason::Value { field, value },
    }
}

/// For a step that is not a number from 1 to the field's size.
pub(super) fn step(field: &'static Field, item: &str, step: &str) -> Reason {
    match extension(&item.to_ascii_lowercase()) {
        Some(extension) => Reason::Extension { field, value: item.to_owned(), extension },
        None => Reason::Step { field, value: item.to_owned(), step: step.to_owned() },
    }
}

/// What other schedulers would read in `item`.
fn extension(item: &str) -> Option<Extension> {
    let only = |allowed: &str| item.chars().all(|c| c.is_ascii_digit() || allowed.contains(c));
    let starts_call =
        |letter| item.strip_prefix(letter).is_some_and(|rest| rest.is_empty() || rest.starts_with(['(', '/']));
    match item {
        _ if item.contains('?') => Some(Extension::NoValue),
        _ if item.contains('#') => Some(Extension::NthWeekday),
        _ if item.contains('w') && only("lw") => Some(Extension::NearestWorkday),
        _ if item.contains('l') && only("l-") => Some(Extension::Last),
        _ if starts_call('h') => Some(Extension::Hash),
        _ if starts_call('r') || item.contains('~') => Some(Extension::Random),
        _ => None,
    }
}

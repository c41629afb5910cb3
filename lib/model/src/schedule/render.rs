//! Fields to text: the normal form of an expression, and the lists that it has in common with EventBridge's.

use super::field::{self, Field, progression};
use super::fields::{ALL_DAYS, Fields};

/// `*` for all values, a step that runs to the end of the field, else ranges and lists of numbers.
pub(super) fn canonical(fields: &Fields) -> String {
    let days = if fields.days == 0 { ALL_DAYS } else { fields.days };
    let weekdays = match fields.weekdays {
        0 => "*".to_owned(),
        weekdays => list(weekdays.into(), |day| day.to_string()),
    };
    let [minutes, hours] = times(fields);
    [
        minutes,
        hours,
        numbers(&field::DAY, days.into(), Start::Star),
        numbers(&field::MONTH, fields.months.into(), Start::Star),
        weekdays,
    ]
    .join(" ")
}

/// The minutes and the hours. Whether one of them begins with `*` says what happens where a clock changes, so the normal
/// form keeps that.
fn times(fields: &Fields) -> [String; 2] {
    let sets = [(&field::MINUTE, fields.minutes), (&field::HOUR, fields.hours.into())];
    if !fields.real_time {
        return sets.map(|(field, values)| numbers(field, values, Start::Range));
    }
    let mut texts = sets.map(|(field, values)| numbers(field, values, Start::Star));
    if !texts.iter().any(|text| text.starts_with('*'))
        && let Some(at) = sets.iter().position(|(_, values)| values & 1 == 1)
    {
        texts[at] = from_star(sets[at].0, sets[at].1);
    }
    texts
}

/// Values with 0 among them as a list that begins with the densest step that they hold, e.g. `*/20,7`.
fn from_star(field: &Field, values: u64) -> String {
    let mut steps = (1..=field.size()).map(|step| (step, progression(field.min, field.max, step)));
    let (step, held) = steps.find(|(_, held)| values & held == *held).expect("the longest step holds 0 alone");
    match values & !held {
        0 => format!("*/{step}"),
        others => format!("*/{step},{}", list(others, |value| value.to_string())),
    }
}

/// How a step through a whole field begins.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// `*/5`
    Star,
    /// `0/5`
    Number,
    /// `0/5`, and `0-59` for all values
    Range,
}

pub(super) fn numbers(field: &Field, values: u64, start: Start) -> String {
    if values == progression(field.min, field.max, 1) {
        return match start {
            Start::Range => format!("{}-{}", field.min, field.max),
            Start::Star | Start::Number => "*".to_owned(),
        };
    }
    match steps(field, values) {
        Some((first, step)) if first == field.min && start == Start::Star => format!("*/{step}"),
        Some((first, step)) => format!("{first}/{step}"),
        None => list(values, |value| value.to_string()),
    }
}

/// Comma-separated values, with ranges for three or more neighbours.
pub(super) fn list(values: u64, name: impl Fn(u32) -> String) -> String {
    let mut items = Vec::new();
    let mut left = values;
    while left != 0 {
        let first = left.trailing_zeros();
        let length = (left >> first).trailing_ones();
        let last = first + length - 1;
        items.push(match length {
            1 => name(first),
            2 => format!("{},{}", name(first), name(last)),
            _ => format!("{}-{}", name(first), name(last)),
        });
        left &= !progression(first, last, 1);
    }
    items.join(",")
}

/// First value and step, if three or more values make an even progression to the end of the field, with gaps.
fn steps(field: &Field, values: u64) -> Option<(u32, u32)> {
    let first = values.trailing_zeros();
    let others = values & !(1 << first);
    let step = others.trailing_zeros().checked_sub(first)?;
    let even = step > 1 && step <= field.size() && values == progression(first, field.max, step);
    (even && values.count_ones() > 2).then_some((first, step))
}

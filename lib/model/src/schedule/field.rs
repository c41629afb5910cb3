//! One field of an expression to the bitmap of its values.

use super::diagnosis;
use super::error::{ParseError, Reason};

/// What one field may hold.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub name: &'static str,
    pub min: u32,
    pub max: u32,
    /// The greatest number that may be written: `max`, or 7 for Sunday, whose bit is 0.
    pub top: u32,
    /// Three-letter names, lower case, of the values from `min` on.
    pub names: &'static [&'static str],
}

pub(super) static MINUTE: Field = Field { name: "minute", min: 0, max: 59, top: 59, names: &[] };
pub(super) static HOUR: Field = Field { name: "hour", min: 0, max: 23, top: 23, names: &[] };
pub(super) static DAY: Field = Field { name: "day of month", min: 1, max: 31, top: 31, names: &[] };
pub(super) static MONTH: Field = Field {
    name: "month",
    min: 1,
    max: 12,
    top: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
pub(super) static WEEKDAY: Field =
    Field { name: "day of week", min: 0, max: 6, top: 7, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };

pub(super) struct Values {
    /// Bit *n* is value *n*.
    pub bits: u64,
    /// Whether `*` without a step is one of the values.
    pub star: bool,
}

impl Field {
    pub fn parse(&'static self, (start, text): (usize, &str)) -> Result<Values, ParseError> {
        if text == "*" {
            return Ok(Values { bits: self.all(), star: true });
        }
        let mut values = Values { bits: 0, star: false };
        let mut at = start;
        for item in text.split(',') {
            let bits = self.item(item).map_err(|reason| ParseError::new(at, reason))?;
            values.bits |= bits;
            values.star |= item == "*";
            at += item.len() + 1;
        }
        Ok(values)
    }

    fn item(&'static self, item: &str) -> Result<u64, Reason> {
        let (base, step) = match item.split_once('/') {
            Some((base, step)) => (base, Some(self.step(item, step)?)),
            None => (item, None),
        };
        let (low, high) = match base.split_once('-') {
            Some((low, high)) => (self.value(item, low)?, self.value(item, high)?),
            None if base == "*" => (self.min, self.max),
            None => match (self.value(item, base)?, step) {
                (value, None) => (value, value),
                (value, Some(_)) => (value, self.max),
            },
        };
        let bits = self.range(low, high, step.unwrap_or(1));
        Ok((bits | bits >> self.top & u64::from(self.top > self.max)) & self.all())
    }

    /// The values from `low` to `high`, over the end of the field if need be. A wrapped step leaves as many values out
    /// at the start of the field as croniter does: `step` less those already left out at its end.
    fn range(&self, low: u32, high: u32, step: u32) -> u64 {
        if low == high {
            return 1 << low;
        }
        let low = if low > self.max { self.min } else { low };
        if low <= high {
            return progression(low, high, step);
        }
        let tail = progression(low, self.max, step);
        let left_out = tail.leading_zeros() - (63 - self.max);
        let skipped = if step > left_out + 1 { step - left_out } else { 0 };
        tail | progression(self.min + skipped, high, step)
    }

    fn value(&'static self, item: &str, text: &str) -> Result<u32, Reason> {
        let Some(value) = number(text).or_else(|| self.named(text)) else {
            return Err(diagnosis::value(self, item));
        };
        if value < self.min || value > self.top {
            return Err(Reason::OutOfRange { field: self, value: text.to_owned() });
        }
        Ok(value)
    }

    fn step(&'static self, item: &str, text: &str) -> Result<u32, Reason> {
        match number(text) {
            Some(step) if (1..=self.size()).contains(&step) => Ok(step),
            _ => Err(diagnosis::step(self, item, text)),
        }
    }

    fn named(&self, text: &str) -> Option<u32> {
        let index = self.names.iter().position(|name| name.eq_ignore_ascii_case(text))?;
        Some(self.min + index as u32)
    }

    /// How many values there are: the greatest step.
    pub fn size(&self) -> u32 {
        self.max - self.min + 1
    }

    fn all(&self) -> u64 {
        progression(self.min, self.max, 1)
    }
}

/// Every `step`th value from `low` to `high`, both within 0 to 62; none if `low` is greater.
pub(super) fn progression(low: u32, high: u32, step: u32) -> u64 {
    if step == 1 && low <= high {
        return (2 << high) - (1 << low);
    }
    (low..=high).step_by(step as usize).fold(0, |bits, value| bits | 1 << value)
}

/// A number of ASCII digits; one that is too great for the type is its maximum, which no field holds.
fn number(text: &str) -> Option<u32> {
    if text.is_empty() {
        return None;
    }
    text.bytes().try_fold(0_u32, |number, digit| {
        digit.is_ascii_digit().then(|| number.saturating_mul(10).saturating_add(u32::from(digit - b'0')))
    })
}

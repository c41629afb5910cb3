//! Durations in a config: a number and `s`, `m`, `h` or `d`.

use std::time::Duration;
use tidemill_plan::TextProblem;

const LONGEST: u64 = 366 * 86_400;

/// Reads a duration of 1 s to 366 days.
pub fn parse(text: &str) -> Result<Duration, TextProblem> {
    seconds(text).map(Duration::from_secs).ok_or_else(|| TextProblem {
        message: "is not a time of at most 366 days".to_owned(),
        hint: "write a number and `s`, `m`, `h` or `d`, e.g. `30d`".to_owned(),
        offset: None,
    })
}

fn seconds(text: &str) -> Option<u64> {
    let unit = text.chars().last()?;
    let number: u64 = text[..text.len() - unit.len_utf8()].parse().ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    number.checked_mul(seconds).filter(|total| (1..=LONGEST).contains(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_bounded() {
        assert_eq!(parse("90m"), Ok(Duration::from_secs(5_400)));
        for text in ["", "d", "0d", "-1d", "367d", "1w", "1.5h", "99999999999999999999d", "1é"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}

//! The same ticks in the words of EventBridge Scheduler.
//! <https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based>
//!
//! Its cron wants `?` in one of the two day fields, so that the union of both takes two expressions. Its weekdays count
//! from Sunday as 1, so they go by name. The year is a sixth field.

use super::field::{self, WEEKDAY};
use super::fields::Fields;
use super::render::{Start, list, numbers};
use super::zone::Zone;

/// One schedule to register with EventBridge Scheduler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventBridge {
    /// What to end the schedule's name in: `d` for days of the month, `w` for weekdays.
    pub suffix: &'static str,
    /// `cron(minutes hours days months weekdays *)`, at most 256 characters.
    pub expression: String,
    /// The IANA name of the zone.
    pub timezone: String,
}

pub(super) fn expressions(fields: &Fields, zone: &Zone) -> Vec<EventBridge> {
    let [minutes, hours] = [(&field::MINUTE, fields.minutes), (&field::HOUR, fields.hours.into())]
        .map(|(field, values)| numbers(field, values, Start::Number));
    let months = numbers(&field::MONTH, fields.months.into(), Start::Number);
    let schedule = |suffix, days: &str, weekdays: &str| EventBridge {
        suffix,
        expression: format!("cron({minutes} {hours} {days} {months} {weekdays} *)"),
        timezone: zone.as_str().to_owned(),
    };
    let by_day =
        (fields.days != 0).then(|| schedule("d", &numbers(&field::DAY, fields.days.into(), Start::Number), "?"));
    let by_weekday = (fields.weekdays != 0).then(|| schedule("w", "?", &list(fields.weekdays.into(), weekday)));
    by_day.into_iter().chain(by_weekday).collect()
}

fn weekday(number: u32) -> String {
    WEEKDAY.names[number as usize].to_ascii_uppercase()
}

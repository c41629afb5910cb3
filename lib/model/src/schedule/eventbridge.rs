//! Bells for the ticks of a schedule, in the words of EventBridge Scheduler.
//! <https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based>
//!
//! Its cron wants `?` in one of the two day fields, so that the union of both takes two expressions. Its weekdays count
//! from Sunday as 1, so they go by name. The year is a sixth field.
//!
//! EventBridge Scheduler leaves out a local time that does not exist and rings once at one that comes twice. Where a
//! schedule is due in both passes, it is registered in UTC instead, at every minute that is its due minute under one of
//! the zone's offsets: a bell too many does no harm.

use super::field::{self, WEEKDAY, progression};
use super::fields::{ALL_DAYS, Fields};
use super::render::{Start, list, numbers};
use super::zone::Zone;
use jiff::civil::Time;
use jiff::tz::Offset;
use std::collections::BTreeSet;

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

const MINUTES_OF_DAY: i32 = 24 * 60;
const ALL_MONTHS: u16 = 0x1ffe;

pub(super) fn expressions(fields: &Fields, zone: &Zone) -> Vec<EventBridge> {
    match fields.real_time && zone.repeats(|local| fields.has_time(local)) {
        true => in_zone(&under_offsets(fields, &zone.offsets()), &Zone::UTC),
        false => in_zone(fields, zone),
    }
}

fn in_zone(fields: &Fields, zone: &Zone) -> Vec<EventBridge> {
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

/// Fields of UTC that hold every minute which is a due local minute under one of the offsets, and some more.
fn under_offsets(fields: &Fields, offsets: &BTreeSet<Offset>) -> Fields {
    let mut utc = Fields { minutes: 0, hours: 0, days: 0, weekdays: 0, ..*fields };
    let mut shifts = BTreeSet::new();
    for offset in offsets {
        for local in (0..MINUTES_OF_DAY).filter(|minute| fields.has_time(time(*minute))) {
            let minute = local - offset.seconds() / 60;
            shifts.insert(minute.div_euclid(MINUTES_OF_DAY));
            let minute = minute.rem_euclid(MINUTES_OF_DAY);
            utc.minutes |= 1 << (minute % 60);
            utc.hours |= 1 << (minute / 60);
        }
    }
    for shift in &shifts {
        utc.days |= shifted_days(fields.days, *shift);
        utc.weekdays |= (0..7)
            .filter(|day| fields.weekdays >> day & 1 == 1)
            .fold(0, |bits, day: i32| bits | 1 << (day + shift).rem_euclid(7));
    }
    if shifts.iter().any(|shift| *shift != 0) {
        utc.months = with_neighbours(fields.months);
    }
    utc
}

fn time(minute_of_day: i32) -> Time {
    Time::constant((minute_of_day / 60) as i8, (minute_of_day % 60) as i8, 0, 0)
}

/// The days of a month that are `shift` days after one of `days`, whatever the month's length.
fn shifted_days(days: u32, shift: i32) -> u32 {
    if days == ALL_DAYS {
        return ALL_DAYS;
    }
    let ends = progression(28, 31, 1) as u32;
    match shift {
        0 => days,
        1.. => (days << 1) & ALL_DAYS | if days & ends != 0 { 1 << 1 } else { 0 },
        ..0 => (days >> 1) & ALL_DAYS | if days >> 1 & 1 == 1 { ends } else { 0 },
    }
}

fn with_neighbours(months: u16) -> u16 {
    let (next, previous) = (months << 1 | months >> 11, months >> 1 | months << 11);
    (months | next | previous) & ALL_MONTHS
}

fn weekday(number: u32) -> String {
    WEEKDAY.names[number as usize].to_ascii_uppercase()
}

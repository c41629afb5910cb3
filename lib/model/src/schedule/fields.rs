//! The due minutes of a civil calendar as bitmaps, and the search for the next and the previous one. Knows no zones.

use jiff::civil::{Date, DateTime, Time};

pub(super) const ALL_DAYS: u32 = 0xffff_fffe;
pub(super) const ALL_HOURS: u32 = 0xff_ffff;
pub(super) const ALL_WEEKDAYS: u8 = 0x7f;

const LONG_MONTHS: u16 = 1 << 1 | 1 << 3 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 10 | 1 << 12;
const FEBRUARY: u16 = 1 << 2;

/// One bit each week, for six weeks: times a set of weekdays it repeats the set.
const EVERY_WEEK: u64 = 1 | 1 << 7 | 1 << 14 | 1 << 21 | 1 << 28 | 1 << 35;

/// The due minutes: bit *n* of a field is its value *n*. A day is due if its number is in `days` *or* its weekday is in
/// `weekdays`, so an unrestricted field beside a restricted one is empty here, and every day is all of `days`.
/// Equal fields mean equal minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fields {
    pub minutes: u64,
    pub hours: u32,
    pub days: u32,
    pub months: u16,
    pub weekdays: u8,
    /// Whether the minute or the hour begins with `*`: then real time goes on where a clock changes.
    pub real_time: bool,
}

impl Fields {
    /// Reduces the days to their normal form: every day has one spelling, and days that no due month has are dropped.
    pub fn normal(mut self) -> Fields {
        if self.weekdays == ALL_WEEKDAYS {
            self.days = ALL_DAYS;
        }
        if self.days == ALL_DAYS {
            self.weekdays = 0;
        }
        if self.days & first_days(longest(self.months)) == 0 {
            self.days = 0;
        }
        self
    }

    /// Whether no day is ever due. Only for the normal form.
    pub fn never_fires(&self) -> bool {
        self.days == 0 && self.weekdays == 0
    }

    pub fn contains(&self, at: DateTime) -> bool {
        self.minutes >> at.minute() & 1 == 1 && self.hours >> at.hour() & 1 == 1 && self.has_day(at.date())
    }

    /// Whether the hour and the minute are due, on whatever day.
    pub fn has_time(&self, at: Time) -> bool {
        self.hours >> at.hour() & 1 == 1 && self.minutes >> at.minute() & 1 == 1
    }

    /// First due minute after the minute that `at` lies in.
    pub fn next_after(&self, at: DateTime) -> Option<DateTime> {
        let (hour, minute) = (at.hour() as u32, at.minute() as u32);
        let today = self.has_day(at.date());
        let this_hour = self.hours >> hour & 1 == 1;
        let later = self.minutes >> (minute + 1) << (minute + 1);
        if today && this_hour && later != 0 {
            return Some(at.date().at(at.hour(), lowest(later), 0, 0));
        }
        let later = (u64::from(self.hours) >> (hour + 1) << (hour + 1)) as u32;
        if today && later != 0 {
            return Some(at.date().at(lowest(later.into()), lowest(self.minutes), 0, 0));
        }
        let date = self.day_after(at.date())?;
        Some(date.at(lowest(self.hours.into()), lowest(self.minutes), 0, 0))
    }

    /// Last due minute before the minute that `at` lies in.
    pub fn previous_before(&self, at: DateTime) -> Option<DateTime> {
        let today = self.has_day(at.date());
        let this_hour = self.hours >> at.hour() & 1 == 1;
        let earlier = self.minutes & ((1 << at.minute()) - 1);
        if today && this_hour && earlier != 0 {
            return Some(at.date().at(at.hour(), highest(earlier), 0, 0));
        }
        let earlier = self.hours & ((1 << at.hour()) - 1);
        if today && earlier != 0 {
            return Some(at.date().at(highest(earlier.into()), highest(self.minutes), 0, 0));
        }
        let date = self.day_before(at.date())?;
        Some(date.at(highest(self.hours.into()), highest(self.minutes), 0, 0))
    }

    fn has_day(&self, date: Date) -> bool {
        self.months >> date.month() & 1 == 1
            && (self.days >> date.day() & 1 == 1 || self.weekdays >> date.weekday().to_sunday_zero_offset() & 1 == 1)
    }

    fn day_after(&self, date: Date) -> Option<Date> {
        let (mut year, mut month) = (date.year(), date.month());
        let mut left = (!1_u64 << date.day()) as u32;
        loop {
            if self.months >> month & 1 == 1 {
                let due = self.days_of(year, month)? & left;
                if due != 0 {
                    return Date::new(year, month, lowest(due.into())).ok();
                }
            }
            left = ALL_DAYS;
            let later = u32::from(self.months) >> (month + 1) << (month + 1);
            (year, month) = match later {
                0 => (year + 1, lowest(self.months.into())),
                _ => (year, lowest(later.into())),
            };
        }
    }

    fn day_before(&self, date: Date) -> Option<Date> {
        let (mut year, mut month) = (date.year(), date.month());
        let mut left = (1_u32 << date.day()) - 1;
        loop {
            if self.months >> month & 1 == 1 {
                let due = self.days_of(year, month)? & left;
                if due != 0 {
                    return Date::new(year, month, highest(due.into())).ok();
                }
            }
            left = ALL_DAYS;
            let earlier = self.months & ((1 << month) - 1);
            (year, month) = match earlier {
                0 => (year - 1, highest(self.months.into())),
                _ => (year, highest(earlier.into())),
            };
        }
    }

    /// The due days of one month, or `None` outside of the calendar.
    fn days_of(&self, year: i16, month: i8) -> Option<u32> {
        let first = Date::new(year, month, 1).ok()?;
        let offset = first.weekday().to_sunday_zero_offset();
        let weekdays = (u64::from(self.weekdays) * EVERY_WEEK) >> offset << 1;
        Some((self.days | weekdays as u32) & first_days(first.days_in_month()))
    }
}

/// Drops the seconds.
pub(super) fn minute_of(at: DateTime) -> DateTime {
    at.date().at(at.hour(), at.minute(), 0, 0)
}

fn longest(months: u16) -> i8 {
    match months {
        months if months & LONG_MONTHS != 0 => 31,
        FEBRUARY => 29,
        _ => 30,
    }
}

/// The days 1 to `count`.
fn first_days(count: i8) -> u32 {
    ((2_u64 << count) - 2) as u32
}

fn lowest(bits: u64) -> i8 {
    bits.trailing_zeros() as i8
}

fn highest(bits: u64) -> i8 {
    (63 - bits.leading_zeros()) as i8
}

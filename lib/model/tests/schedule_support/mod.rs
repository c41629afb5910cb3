//! What the schedule tests share: arbitrary expressions, and a reader of EventBridge's cron that knows nothing of ours.

#![allow(dead_code, reason = "each test binary uses a part")]

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::sample::select;
use tidemill_model::schedule::Schedule;

const MINUTE: SignedDuration = SignedDuration::from_secs(60);
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

pub fn at(text: &str) -> Timestamp {
    text.parse().expect("a timestamp")
}

pub fn schedule(text: &str) -> Schedule {
    Schedule::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

/// Instants of the years 1901 to 2149, to the second.
pub fn instants() -> impl Strategy<Value = Timestamp> {
    (-2_177_452_800_i64..5_680_281_600).prop_map(|second| Timestamp::from_second(second).expect("within range"))
}

/// All minutes from the one of `from` on.
pub fn minutes_from(from: Timestamp) -> impl Iterator<Item = Timestamp> {
    let first = Timestamp::from_second(from.as_second().div_euclid(60) * 60).expect("within range");
    (0..).map(move |minute| first + MINUTE * minute)
}

/// Expressions that fire.
pub fn schedules() -> impl Strategy<Value = Schedule> {
    (field(0, 59, &[]), field(0, 23, &[]), field(1, 31, &[]), field(1, 12, &MONTHS), field(0, 7, &WEEKDAYS))
        .prop_map(|(minute, hour, day, month, weekday)| format!("{minute} {hour} {day} {month} {weekday}"))
        .prop_filter_map("never fires", |text| Schedule::parse(&text).ok())
}

fn field(min: u32, max: u32, names: &'static [&'static str]) -> impl Strategy<Value = String> {
    let value = move || {
        let number = (min..=max).prop_map(|number| number.to_string());
        match names {
            [] => number.boxed(),
            names => prop_oneof![number, select(names).prop_map(str::to_owned)].boxed(),
        }
    };
    let size = if max == 7 { 7 } else { max - min + 1 };
    let base = prop_oneof![
        2 => Just("*".to_owned()),
        4 => value(),
        4 => (value(), value()).prop_map(|(low, high)| format!("{low}-{high}")),
    ];
    let step = prop_oneof![3 => Just(String::new()), 2 => (1..=size).prop_map(|step| format!("/{step}"))];
    let item = (base, step).prop_map(|(base, step)| base + &step);
    prop_oneof![
        3 => Just("*".to_owned()),
        5 => prop::collection::vec(item, 1..4).prop_map(|items| items.join(",")),
    ]
}

/// One `cron(...)` of EventBridge Scheduler, read by its user guide.
pub struct Cron([Vec<i8>; 5]);

impl Cron {
    pub fn parse(expression: &str) -> Cron {
        assert!(expression.len() <= 256, "{expression} is too long");
        let inner = expression.strip_prefix("cron(").and_then(|rest| rest.strip_suffix(')')).expect("cron(...)");
        let fields: Vec<_> = inner.split(' ').collect();
        let [minutes, hours, days, months, weekdays, "*"] = fields[..] else {
            panic!("{expression} has no six fields")
        };
        assert_eq!([days, weekdays].iter().filter(|field| **field == "?").count(), 1, "{expression} wants one `?`");
        Cron([
            values(minutes, 0, 59),
            values(hours, 0, 23),
            values(days, 1, 31),
            values(months, 1, 12),
            values(weekdays, 1, 7),
        ])
    }

    pub fn matches(&self, at: DateTime) -> bool {
        let weekday = at.weekday().to_sunday_zero_offset() + 1;
        let parts = [at.minute(), at.hour(), at.day(), at.month(), weekday];
        self.0.iter().zip(parts).all(|(values, part)| values.contains(&part))
    }
}

fn values(field: &str, min: i8, max: i8) -> Vec<i8> {
    let number = |text: &str| match WEEKDAYS.iter().position(|name| name.to_uppercase() == text) {
        Some(index) => index as i8 + 1,
        None => text.parse().expect("a number"),
    };
    let item = |item: &str| -> Vec<i8> {
        if item == "*" || item == "?" {
            return (min..=max).collect();
        }
        if let Some((first, step)) = item.split_once('/') {
            return (number(first)..=max).step_by(step.parse().expect("a step")).collect();
        }
        let (low, high) = item.split_once('-').unwrap_or((item, item));
        assert!(min <= number(low) && number(low) <= number(high) && number(high) <= max, "{item} is out of range");
        (number(low)..=number(high)).collect()
    };
    field.split(',').flat_map(item).collect()
}

//! What a tick costs: reading an expression and finding its next due minute, beside `croner` doing the same.
//! The limits are 1 µs to parse and 0.3 µs for the next tick in UTC.

use criterion::{Criterion, criterion_group, criterion_main};
use croner::errors::CronError;
use croner::{CivilDateTime, Cron, CronDateTime, Resolution, Weekday};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp, civil};
use std::cmp::Ordering;
use std::hint::black_box;
use std::str::FromStr;
use tidemill_model::schedule::{Schedule, Zone};

const EXPRESSIONS: [(&str, &str); 6] = [
    ("every minute", "* * * * *"),
    ("every five minutes", "*/5 * * * *"),
    ("weekday mornings", "30 6 * * mon-fri"),
    ("days or weekdays", "0,15,30,45 8-18/2 1,15 jan-jun,oct 1-5"),
    ("yearly", "0 0 1 1 *"),
    ("leap days", "0 12 29 2 *"),
];

/// 2026-03-01T10:17:42Z in seconds.
const NOW: i64 = 1_772_360_262;

fn parse(c: &mut Criterion) {
    let mut group = c.benchmark_group("parse");
    for (name, expression) in EXPRESSIONS {
        group.bench_function(format!("tidemill/{name}"), |b| b.iter(|| Schedule::parse(black_box(expression))));
        group.bench_function(format!("croner/{name}"), |b| b.iter(|| Cron::from_str(black_box(expression))));
    }
}

fn next_tick(c: &mut Criterion) {
    let now = Timestamp::from_second(NOW).expect("within range");
    let berlin = Zone::parse("Europe/Berlin").expect("a known zone");
    let croner_now = Utc(Offset::UTC.to_datetime(now));
    let mut group = c.benchmark_group("next tick");
    for (name, expression) in EXPRESSIONS {
        let schedule = Schedule::parse(expression).expect("valid");
        let local = schedule.clone().in_zone(berlin.clone()).expect("fires");
        let cron = Cron::from_str(expression).expect("valid");
        group.bench_function(format!("tidemill/{name}"), |b| b.iter(|| schedule.next_tick(black_box(now))));
        group.bench_function(format!("tidemill in Berlin/{name}"), |b| b.iter(|| local.next_tick(black_box(now))));
        group.bench_function(format!("croner/{name}"), |b| {
            b.iter(|| cron.find_next_occurrence(black_box(&croner_now), false));
        });
    }
}

/// A clock in UTC for croner, at the price of ours: one jiff date and time, no zone.
#[derive(Clone)]
struct Utc(civil::DateTime);

impl CronDateTime for Utc {
    fn to_civil(&self) -> CivilDateTime {
        let Utc(at) = self;
        let [month, day, hour, minute, second] =
            [at.month(), at.day(), at.hour(), at.minute(), at.second()].map(|part| part as u32);
        CivilDateTime::from_ymd_hms_opt(at.year().into(), month, day, hour, minute, second).expect("jiff checked it")
    }

    fn civil_weekday(&self) -> Weekday {
        Weekday::from_days_from_sunday(self.0.weekday().to_sunday_zero_offset() as u32)
    }

    fn resolve_civil(&self, at: CivilDateTime) -> Result<Resolution<Utc>, CronError> {
        let [month, day, hour, minute, second] =
            [at.month(), at.day(), at.hour(), at.minute(), at.second()].map(|part| part as i8);
        let at = civil::DateTime::new(at.year() as i16, month, day, hour, minute, second, 0);
        at.map(|at| Resolution::Single(Utc(at))).map_err(|_| CronError::InvalidDate)
    }

    fn checked_add_seconds(&self, seconds: i64) -> Option<Utc> {
        self.0.checked_add(SignedDuration::from_secs(seconds)).ok().map(Utc)
    }

    fn cmp_instant(&self, other: &Utc) -> Ordering {
        self.0.cmp(&other.0)
    }
}

criterion_group!(benches, parse, next_tick);
criterion_main!(benches);

//! Named zones: what is due where a clock is put forward or back, by the rule of Debian's cron.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod schedule_support;

use jiff::civil::DateTime;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp, ToSpan};
use proptest::prelude::*;
use proptest::sample::select;
use schedule_support::{Cron, at, minutes_from, schedule, schedules};
use std::collections::HashSet;
use tidemill_model::schedule::{Schedule, Zone};

fn local(expression: &str, zone: &str) -> Schedule {
    schedule(expression).in_zone(Zone::parse(zone).unwrap()).unwrap()
}

#[track_caller]
fn ticks(schedule: &Schedule, after: &str, expected: &[&str]) {
    let ticks: Vec<_> = schedule.ticks_after(at(after)).take(expected.len()).collect();
    let expected: Vec<_> = expected.iter().map(|tick| at(tick)).collect();
    assert_eq!(ticks, expected);

    let last = *expected.last().expect("some ticks");
    let mut back = vec![last];
    back.extend(
        std::iter::successors(schedule.previous_tick(last), |tick| schedule.previous_tick(*tick))
            .take(expected.len() - 1),
    );
    back.reverse();
    assert_eq!(back, expected);
    assert!(expected.iter().all(|tick| schedule.matches(*tick)));
}

#[test]
fn a_fixed_time_that_is_missing_in_spring_is_due_at_the_end_of_the_gap_once() {
    let schedule = local("30 2 * * *", "Europe/Berlin");
    ticks(&schedule, "2026-03-27T12:00Z", &["2026-03-28T02:30+01", "2026-03-29T03:00+02", "2026-03-30T02:30+02"]);
    let schedule = local("0,30 2,3 * * *", "Europe/Berlin");
    ticks(&schedule, "2026-03-29T00:00+01", &["2026-03-29T03:00+02", "2026-03-29T03:30+02", "2026-03-30T02:00+02"]);
}

#[test]
fn berlin_fires_once_in_the_hour_that_repeats_in_autumn() {
    let schedule = local("30 2 * * *", "Europe/Berlin");
    ticks(&schedule, "2026-10-24T12:00Z", &["2026-10-25T02:30+02", "2026-10-26T02:30+01"]);
    assert!(!schedule.matches(at("2026-10-25T02:30+01")));
}

#[test]
fn an_hourly_schedule_is_due_every_real_hour() {
    let schedule = local("0 * * * *", "Europe/Berlin");
    ticks(&schedule, "2026-10-25T01:30+02", &["2026-10-25T02:00+02", "2026-10-25T02:00+01", "2026-10-25T03:00+01"]);
    ticks(&schedule, "2026-03-29T00:30+01", &["2026-03-29T01:00+01", "2026-03-29T03:00+02", "2026-03-29T04:00+02"]);
}

#[test]
fn every_minute_of_london_is_due_in_both_passes() {
    let schedule = local("* * * * *", "Europe/London");
    ticks(&schedule, "2025-10-26T00:58Z", &["2025-10-26T00:59Z", "2025-10-26T01:00Z", "2025-10-26T01:01Z"]);
}

#[test]
fn a_step_of_hours_leaves_out_the_missing_hour_and_has_the_repeated_one_twice() {
    let schedule = local("0 */2 * * *", "Europe/Berlin");
    ticks(&schedule, "2026-03-28T23:30Z", &["2026-03-29T04:00+02", "2026-03-29T06:00+02"]);
    ticks(&schedule, "2026-10-25T00:30+02", &["2026-10-25T02:00+02", "2026-10-25T02:00+01", "2026-10-25T04:00+01"]);
}

#[test]
fn new_york_moves_and_repeats_by_its_own_dates() {
    let schedule = local("15,45 1-2 8 3 *", "America/New_York");
    ticks(&schedule, "2026-03-08T00:00-05", &["2026-03-08T01:15-05", "2026-03-08T01:45-05", "2026-03-08T03:00-04"]);
    let schedule = local("30 1 * * *", "America/New_York");
    ticks(&schedule, "2026-10-31T12:00Z", &["2026-11-01T01:30-04", "2026-11-02T01:30-05"]);
}

#[test]
fn lord_howe_moves_its_clock_by_half_an_hour() {
    let schedule = local("15,45 1-2 * * *", "Australia/Lord_Howe");
    ticks(
        &schedule,
        "2026-10-04T00:00+10:30",
        &["2026-10-04T01:15+10:30", "2026-10-04T01:45+10:30", "2026-10-04T02:30+11", "2026-10-04T02:45+11"],
    );
    ticks(
        &schedule,
        "2026-04-05T00:00+11",
        &["2026-04-05T01:15+11", "2026-04-05T01:45+11", "2026-04-05T02:15+10:30", "2026-04-05T02:45+10:30"],
    );
}

#[test]
fn a_fixed_time_of_a_day_that_a_zone_left_out_is_due_when_the_next_begins() {
    let schedule = local("0 12 30 12 *", "Pacific/Apia");
    ticks(&schedule, "2010-01-01T00:00Z", &["2010-12-30T12:00-10", "2011-12-31T00:00+14", "2012-12-30T12:00+14"]);
}

#[test]
fn a_zone_is_its_name() {
    let berlin = Zone::parse("Europe/Berlin").unwrap();
    let json = serde_json::to_string(&berlin).unwrap();

    assert_eq!(json, r#""Europe/Berlin""#);
    assert_eq!(serde_json::from_str::<Zone>(&json).unwrap(), berlin);
    assert_eq!(Zone::parse("UTC").unwrap(), Zone::UTC);
    assert_eq!(local("@daily", "Europe/Berlin").eventbridge()[0].timezone, "Europe/Berlin");
    assert_eq!(schedule("@daily").zone().as_str(), "UTC");
}

/// The zones of the proofs, each with instants around which its clock moved or moves.
const MOVES: [(&str, &str); 9] = [
    ("Europe/Berlin", "2026-03-29T01:00Z"),
    ("Europe/Berlin", "2026-10-25T01:00Z"),
    ("America/New_York", "2026-03-08T07:00Z"),
    ("America/New_York", "2040-11-04T06:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T15:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T15:30Z"),
    ("Africa/Casablanca", "2026-02-15T02:00Z"),
    ("Pacific/Apia", "2011-12-30T10:00Z"),
    ("Asia/Kathmandu", "1985-12-31T18:30Z"),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Brute force, minute by minute on the zone's clock. By real time, a minute is due if its local time matches. Of
    /// fixed times, a local minute counts when it is seen first, and those that the clock jumps over when it has.
    #[test]
    fn ticks_follow_the_rule_where_a_clock_changes(schedule in schedules(), (name, moved) in select(&MOVES[..])) {
        let crons: Vec<_> = schedule.eventbridge().iter().map(|one| Cron::parse(&one.expression)).collect();
        let is_named = |local: DateTime| crons.iter().any(|cron| cron.matches(local));
        let real_time = schedule.as_str().split(' ').take(2).any(|field| field.starts_with('*'));
        let schedule = schedule.in_zone(Zone::parse(name).unwrap()).unwrap();
        let rules = TimeZone::get(name).unwrap();
        let mut seen = HashSet::new();
        let from = at(moved) - SignedDuration::from_hours(30);
        // Yesterday's clock, for what is first in the window.
        let mut last = rules.to_datetime(from - SignedDuration::from_secs(60));

        let expected: Vec<Timestamp> = minutes_from(from)
            .take(60 * 60)
            .filter(|minute| {
                let local = rules.to_datetime(*minute);
                let mut left_out = last.saturating_add(1.minute()).series(1.minute()).take_while(|left_out| *left_out < local);
                let is_moved = left_out.any(is_named);
                last = local;
                let is_first = seen.insert(local);
                match real_time {
                    true => is_named(local),
                    false => is_first && is_named(local) || is_moved,
                }
            })
            .collect();

        let end = from + SignedDuration::from_hours(60);
        let before = from - SignedDuration::from_secs(1);
        let forward: Vec<_> = schedule.ticks_after(before).take_while(|tick| *tick < end).collect();
        let mut backward: Vec<_> = std::iter::successors(schedule.previous_tick(end), |tick| schedule.previous_tick(*tick))
            .take_while(|tick| *tick > before)
            .collect();
        backward.reverse();
        let matching: Vec<_> = minutes_from(from).take(60 * 60).filter(|minute| schedule.matches(*minute)).collect();
        prop_assert_eq!(&forward, &expected);
        prop_assert_eq!(&backward, &expected);
        prop_assert_eq!(&matching, &expected);
        for instant in minutes_from(from).take(60 * 60).step_by(7) {
            let next = expected.iter().find(|tick| **tick > instant);
            let previous = expected.iter().rfind(|tick| **tick < instant);
            prop_assert_eq!(schedule.next_tick(instant).filter(|tick| *tick < end), next.copied());
            prop_assert_eq!(schedule.previous_tick(instant).filter(|tick| *tick > before), previous.copied());
        }
    }
}

/// Zones whose clocks change in different ways, among them by half an hour, at midnight, and never.
const ZONES: [&str; 10] = [
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Pacific/Chatham",
    "Asia/Kathmandu",
    "UTC",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Every due minute of a year with both changes has a bell within that minute, or is the end of a gap.
    #[test]
    fn every_due_minute_has_a_bell_unless_it_is_left_to_the_sweep(schedule in schedules(), name in select(&ZONES[..])) {
        let schedule = schedule.in_zone(Zone::parse(name).unwrap()).unwrap();
        let bells: Vec<_> = schedule
            .eventbridge()
            .iter()
            .map(|one| (Cron::parse(&one.expression), TimeZoneDatabase::bundled().get(&one.timezone).unwrap()))
            .collect();
        let rings = |at: Timestamp| bells.iter().any(|(cron, zone)| {
            let local = zone.to_datetime(at);
            // EventBridge Scheduler rings in the first pass alone.
            let is_first = zone.to_ambiguous_timestamp(local).compatible().unwrap() == at;
            is_first && cron.matches(local)
        });

        let year = schedule.ticks_after(at("2026-12-31T23:59Z")).take_while(|tick| *tick < at("2028-01-01T00:00Z"));
        for tick in year.take(50_000).filter(|tick| !rings(*tick)) {
            prop_assert!(schedule.clock_note(tick).is_some_and(|note| note.contains("exist")), "{tick} has no bell");
        }
    }
}

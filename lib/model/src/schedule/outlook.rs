//! What another schedule changes: the next fires before and after, those that are dropped or added, and the days among
//! them on which the local clock is put forward or back.

use super::Schedule;
use crate::calendar::Calendar;
use jiff::civil::{Date, DateTime, Time};
use jiff::{Timestamp, ToSpan};
use serde::Serialize;
use std::collections::HashSet;

/// Fires that are looked ahead.
const FIRES: usize = 10;

/// The fires to come, before and after a change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outlook {
    /// The next ten, as things are.
    pub before: Vec<Timestamp>,
    /// The next ten, after the change.
    pub after: Vec<Timestamp>,
    /// All fires up to here are known of both; only up to here can be said which are dropped or added. `None` if there
    /// is none at all.
    pub until: Option<Timestamp>,
    pub dropped: Vec<Timestamp>,
    pub added: Vec<Timestamp>,
    /// Of the new schedule's zone, up to the last of its ten.
    pub clock_changes: Vec<ClockChange>,
}

/// A day on which a local clock is put forward or back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClockChange {
    pub date: Date,
    pub clocks: Clocks,
    /// The local times that are jumped over or repeated: from this one, to before that one.
    pub from: Time,
    pub to: Time,
    /// The minutes among them that the schedule names: not due on a day that jumps over them, and due once, the first
    /// time, on a day that repeats them.
    pub minutes: u32,
}

/// Which way a clock is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Clocks {
    /// Local times are skipped.
    Forward,
    /// Local times repeat.
    Back,
}

impl Outlook {
    /// Compares two schedules from `now` on; `None` is no deployment.
    pub fn of(before: Option<&Schedule>, after: Option<&Schedule>, calendar: &Calendar, now: Timestamp) -> Outlook {
        let fires = |schedule: Option<&Schedule>| -> Vec<Timestamp> {
            let Some(schedule) = schedule else { return Vec::new() };
            let next = |at: Timestamp| calendar.next_tick(schedule, at);
            std::iter::successors(next(now), |at| next(*at)).take(FIRES).collect()
        };
        let (were, will) = (fires(before), fires(after));
        // A list that is not full is all that there ever is of it.
        let whole = |fires: &[Timestamp]| if fires.len() < FIRES { None } else { fires.last().copied() };
        let ends = [whole(&were), whole(&will)];
        let last = || were.iter().chain(&will).max().copied();
        let until = ends.into_iter().flatten().min().or_else(last);
        let clock_changes = match (after, will.last(), *calendar == Calendar::default()) {
            (Some(after), Some(last), true) => after.clock_changes(now, *last),
            _ => Vec::new(),
        };
        Outlook {
            until,
            dropped: without(&were, &will, until),
            added: without(&will, &were, until),
            clock_changes,
            before: were,
            after: will,
        }
    }

    /// Nothing is due at another time.
    pub fn is_same(&self) -> bool {
        self.dropped.is_empty() && self.added.is_empty() && self.before == self.after
    }
}

fn without(these: &[Timestamp], those: &[Timestamp], until: Option<Timestamp>) -> Vec<Timestamp> {
    let those: HashSet<&Timestamp> = those.iter().collect();
    let is_known = |at: &&Timestamp| until.is_some_and(|until| **at <= until);
    these.iter().filter(is_known).filter(|at| !those.contains(at)).copied().collect()
}

impl Schedule {
    fn clock_changes(&self, after: Timestamp, until: Timestamp) -> Vec<ClockChange> {
        let turns = self.zone.turns(after, until).into_iter();
        turns
            .map(|(from, to, clocks)| ClockChange {
                date: from.date(),
                clocks,
                from: from.time(),
                to: to.time(),
                minutes: self.minutes_named(from, to),
            })
            .collect()
    }

    fn minutes_named(&self, from: DateTime, to: DateTime) -> u32 {
        let Some(fields) = &self.fields else { return 0 };
        let minutes = from.series(1.minute()).take_while(|at| *at < to);
        minutes.filter(|at| fields.contains(*at)).count() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Zone;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn schedule(text: &str, zone: &str) -> Schedule {
        Schedule::parse(text).unwrap().in_zone(Zone::parse(zone).unwrap()).unwrap()
    }

    fn outlook(before: &Schedule, after: &Schedule, now: &str) -> Outlook {
        Outlook::of(Some(before), Some(after), &Calendar::default(), at(now))
    }

    #[test]
    fn what_is_dropped_and_added_is_told_as_far_as_both_are_known() {
        let told = outlook(&schedule("*/5 * * * *", "UTC"), &schedule("*/10 * * * *", "UTC"), "2026-11-21T10:00:30Z");

        assert_eq!((told.before.len(), told.after.len()), (10, 10));
        assert_eq!(told.until, Some(at("2026-11-21T10:50:00Z")));
        let dropped = [5, 15, 25, 35, 45].map(|minute| at(&format!("2026-11-21T10:{minute:02}:00Z")));
        assert_eq!((told.dropped.as_slice(), told.added.as_slice()), (dropped.as_slice(), [].as_slice()));
    }

    #[test]
    fn a_first_schedule_adds_all_its_fires_and_a_removal_drops_them() {
        let daily = schedule("@daily", "UTC");
        let now = at("2026-11-21T10:00:00Z");
        let first = Outlook::of(None, Some(&daily), &Calendar::default(), now);
        let last = Outlook::of(Some(&daily), None, &Calendar::default(), now);

        assert_eq!((first.added.len(), first.dropped.len()), (10, 0));
        assert_eq!((last.dropped, last.added.len(), last.until), (first.added, 0, first.until));
    }

    #[test]
    fn the_same_minutes_in_other_words_change_nothing() {
        let told = outlook(&schedule("@hourly", "UTC"), &schedule("0 */1 * * *", "UTC"), "2026-11-21T10:00:30Z");

        assert!(told.is_same() && told.clock_changes.is_empty(), "{told:?}");
    }

    #[test]
    fn a_day_that_jumps_over_the_hour_is_told_and_not_due() {
        let told = outlook(&Schedule::MANUAL, &schedule("30 2 * * *", "Europe/Madrid"), "2027-03-25T00:00:00Z");

        let [change] = told.clock_changes.as_slice() else { panic!("{told:?}") };
        assert_eq!(
            (change.date.to_string().as_str(), change.clocks, change.minutes),
            ("2027-03-28", Clocks::Forward, 1)
        );
        assert_eq!((change.from.to_string(), change.to.to_string()), ("02:00:00".to_owned(), "03:00:00".to_owned()));
        let days: Vec<String> = told.after.iter().map(|at| at.to_string()[..10].to_owned()).collect();
        assert!(!days.contains(&"2027-03-28".to_owned()) && days.contains(&"2027-03-29".to_owned()), "{days:?}");
    }

    #[test]
    fn a_day_that_repeats_the_hour_is_told_and_due_once() {
        let told = outlook(&Schedule::MANUAL, &schedule("*/30 2 * * *", "Europe/Madrid"), "2026-10-23T12:00:00Z");

        let [change] = told.clock_changes.as_slice() else { panic!("{told:?}") };
        assert_eq!((change.date.to_string().as_str(), change.clocks, change.minutes), ("2026-10-25", Clocks::Back, 2));
        assert_eq!(told.after[2..4], [at("2026-10-25T00:00:00Z"), at("2026-10-25T00:30:00Z")]);
    }
}

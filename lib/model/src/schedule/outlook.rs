//! What another schedule changes: the next fires before and after, those that are dropped or added, and the days of the
//! next twelve months on which the local clock changes at due minutes.

use super::Schedule;
use super::fields::{ALL_HOURS, Fields, minute_of};
use crate::calendar::Calendar;
use jiff::civil::{Date, DateTime, Time};
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::Serialize;
use std::collections::HashSet;

/// Fires that are looked ahead.
const FIRES: usize = 10;
/// How far ahead changes of the clock are listed: twelve months.
const AHEAD: SignedDuration = SignedDuration::from_hours(366 * 24);

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
    /// Fires up to `until` that only the old schedule has.
    pub dropped: Vec<Timestamp>,
    /// Fires up to `until` that only the new schedule has.
    pub added: Vec<Timestamp>,
    /// Of the new schedule's zone in the next twelve months, where they concern due minutes.
    pub clock_changes: Vec<ClockChange>,
}

/// A day on which a local clock is put forward or back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClockChange {
    /// The local day.
    pub date: Date,
    /// Which way the clock is put.
    pub clocks: Clocks,
    /// The local times that are jumped over or repeated: from this one, to before that one.
    pub from: Time,
    /// The first local time after them.
    pub to: Time,
    /// The minutes among them that the schedule names.
    pub minutes: u32,
    /// What becomes of these minutes.
    pub effect: Effect,
}

/// What becomes of the due minutes that a clock jumps over or repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// They are left out, and real time goes on.
    Skipped,
    /// The schedule is due once, at the end of the gap.
    Moved,
    /// They are due in the first pass alone.
    Once,
    /// They are due in both passes.
    Twice,
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
        let clock_changes = match after {
            Some(after) if *calendar == Calendar::default() => after.clock_changes(now),
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
    /// The changes of the clock in the twelve months after `now` that concern due minutes. A schedule of every hour is
    /// due as evenly on such a day as on others.
    pub fn clock_changes(&self, now: Timestamp) -> Vec<ClockChange> {
        let Some(fields) = self.fields.as_ref().filter(|fields| !(fields.real_time && fields.hours == ALL_HOURS))
        else {
            return Vec::new();
        };
        let turns = self.zone.turns(now, now.checked_add(AHEAD).unwrap_or(Timestamp::MAX)).into_iter();
        let changes = turns.map(|(from, to, clocks)| ClockChange {
            date: from.date(),
            clocks,
            from: from.time(),
            to: to.time(),
            minutes: named(fields, from, to).count() as u32,
            effect: match (clocks, fields.real_time) {
                (Clocks::Forward, true) => Effect::Skipped,
                (Clocks::Forward, false) => Effect::Moved,
                (Clocks::Back, true) => Effect::Twice,
                (Clocks::Back, false) => Effect::Once,
            },
        });
        changes.filter(|change| change.minutes > 0).collect()
    }

    /// What a change of the clock means for the minute at `at`, in words: `02:30 does not exist on this day; due at
    /// 03:00 CEST`. `None` if none does.
    pub fn clock_note(&self, at: Timestamp) -> Option<String> {
        let fields = self.fields.as_ref().filter(|fields| !fields.real_time)?;
        let around = SignedDuration::from_hours(24);
        let turns = self.zone.turns(at.checked_sub(around).ok()?, at.checked_add(around).ok()?);
        let local = minute_of(self.zone.local(at));
        turns.into_iter().find_map(|(from, to, clocks)| match clocks {
            Clocks::Forward if local == to => {
                let (first, last) = (named(fields, from, to).next()?, named(fields, from, to).last()?);
                let left_out = match first == last {
                    true => format!("{} does not exist", hour(first)),
                    false => format!("{} to {} do not exist", hour(first), hour(last)),
                };
                Some(format!("{left_out} on this day; due at {}", self.zone.clock(at)))
            }
            Clocks::Back if from <= local && local < to && fields.contains(local) => {
                let first = self.zone.clock(self.zone.first_reached(local)?);
                Some(format!("{} comes twice on this day; due the first time, at {first}", hour(local)))
            }
            _ => None,
        })
    }
}

/// The local minutes from `from` to before `to` that a schedule names.
fn named(fields: &Fields, from: DateTime, to: DateTime) -> impl Iterator<Item = DateTime> {
    from.series(1.minute()).take_while(move |at| *at < to).filter(|at| fields.contains(*at))
}

fn hour(local: DateTime) -> String {
    local.strftime("%H:%M").to_string()
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
    fn dropped_and_added_fires_are_listed_as_far_as_both_are_known() {
        let shown = outlook(&schedule("*/5 * * * *", "UTC"), &schedule("*/10 * * * *", "UTC"), "2026-11-21T10:00:30Z");

        assert_eq!((shown.before.len(), shown.after.len()), (10, 10));
        assert_eq!(shown.until, Some(at("2026-11-21T10:50:00Z")));
        let dropped = [5, 15, 25, 35, 45].map(|minute| at(&format!("2026-11-21T10:{minute:02}:00Z")));
        assert_eq!((shown.dropped.as_slice(), shown.added.as_slice()), (dropped.as_slice(), [].as_slice()));
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
        let shown = outlook(&schedule("@hourly", "UTC"), &schedule("0 */1 * * *", "UTC"), "2026-11-21T10:00:30Z");

        assert!(shown.is_same() && shown.clock_changes.is_empty(), "{shown:?}");
    }

    #[test]
    fn a_day_that_jumps_over_the_hour_moves_what_is_fixed_to_its_end() {
        let shown = outlook(&Schedule::MANUAL, &schedule("30 2 * * *", "Europe/Madrid"), "2027-03-25T00:00:00Z");

        let change = &shown.clock_changes[0];
        assert_eq!(
            (change.date.to_string().as_str(), change.clocks, change.minutes, change.effect),
            ("2027-03-28", Clocks::Forward, 1, Effect::Moved)
        );
        assert_eq!((change.from.to_string(), change.to.to_string()), ("02:00:00".to_owned(), "03:00:00".to_owned()));
        assert!(shown.after.contains(&at("2027-03-28T01:00:00Z")), "{:?}", shown.after);
    }

    #[test]
    fn a_day_that_repeats_the_hour_has_what_goes_by_real_time_twice() {
        let shown = outlook(&Schedule::MANUAL, &schedule("*/30 2 * * *", "Europe/Madrid"), "2026-10-23T12:00:00Z");

        let change = &shown.clock_changes[0];
        assert_eq!((change.date.to_string().as_str(), change.clocks, change.minutes), ("2026-10-25", Clocks::Back, 2));
        assert_eq!(change.effect, Effect::Twice);
        let hour = ["00:00", "00:30", "01:00", "01:30"].map(|time| at(&format!("2026-10-25T{time}:00Z")));
        assert_eq!(shown.after[2..6], hour);
    }

    #[test]
    fn changes_of_twelve_months_are_listed_where_they_concern_due_minutes() {
        let changes = |text: &str| {
            let changes = schedule(text, "Europe/Berlin").clock_changes(at("2026-11-29T12:00:00Z"));
            changes.into_iter().map(|change| (change.date.to_string(), change.effect)).collect::<Vec<_>>()
        };
        let (spring, autumn) = ("2027-03-28".to_owned(), "2027-10-31".to_owned());

        assert_eq!(changes("30 2 * * *"), [(spring.clone(), Effect::Moved), (autumn.clone(), Effect::Once)]);
        assert_eq!(changes("0 */2 * * *"), [(spring, Effect::Skipped), (autumn, Effect::Twice)]);
        assert_eq!(changes("0 9 * * *"), []);
        assert_eq!(changes("*/5 * * * *"), []);
    }

    #[test]
    fn a_change_of_the_clock_is_put_in_words() {
        let daily = schedule("30 2 * * *", "Europe/Berlin");
        let twice = schedule("15,45 2 * * *", "Europe/Berlin");
        let note = |schedule: &Schedule, time: &str| schedule.clock_note(at(time));

        let moved = "02:30 does not exist on this day; due at 03:00 CEST";
        assert_eq!(note(&daily, "2027-03-28T01:00:00Z").as_deref(), Some(moved));
        let both = "02:15 to 02:45 do not exist on this day; due at 03:00 CEST";
        assert_eq!(note(&twice, "2027-03-28T01:00:00Z").as_deref(), Some(both));
        let once = "02:30 comes twice on this day; due the first time, at 02:30 CEST";
        assert_eq!(note(&daily, "2026-10-25T00:30:00Z").as_deref(), Some(once));
        assert_eq!(note(&daily, "2026-10-25T01:30:00Z").as_deref(), Some(once));
        assert_eq!(note(&daily, "2026-10-26T01:30:00Z"), None);
    }
}

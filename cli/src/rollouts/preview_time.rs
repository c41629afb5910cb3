//! When a pipeline would be due, for people: the fires before and after, and what is dropped and added.

use crate::output::table::{self, counted, plain};
use crate::output::times::{self, relative};
use comfy_table::{Cell, Color};
use jiff::Timestamp;
use jiff::civil::{Date, Time as LocalTime};
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::collections::BTreeSet;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Time {
    schedule_before: Option<Schedule>,
    schedule_after: Option<Schedule>,
    paused: bool,
    before: Vec<Timestamp>,
    after: Vec<Timestamp>,
    /// Both are known up to here.
    until: Option<Timestamp>,
    clock_changes: Vec<ClockChange>,
}

#[derive(Debug, Deserialize)]
struct Schedule {
    schedule: String,
    timezone: String,
}

#[derive(Debug, Deserialize)]
struct ClockChange {
    date: Date,
    from: LocalTime,
    to: LocalTime,
    minutes: u32,
    effect: Effect,
}

/// What becomes of the due minutes that a clock jumps over or repeats.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Effect {
    Skipped,
    Moved,
    Once,
    Twice,
}

impl Time {
    pub fn shown(&self) -> Vec<String> {
        let mut lines = match self.before == self.after {
            true => vec![format!("due as before, {}: {}", named(&self.schedule_after), self.next())],
            false => vec![format!("due {} → {}", named(&self.schedule_before), named(&self.schedule_after))],
        };
        lines.extend(self.paused.then(|| "paused: nothing of this runs until it is resumed".to_owned()));
        if self.before != self.after {
            lines.extend(self.fires().lines().map(str::to_owned));
        }
        lines.extend(self.clock_changes.iter().map(|change| self.clock_change(change)));
        lines
    }

    fn next(&self) -> String {
        self.after
            .first()
            .map_or_else(|| "never".to_owned(), |at| format!("next {}", relative(*at, crate::output::times::now())))
    }

    /// Every fire of both, a row each. Where the ten of one have ended, nothing is said about it.
    fn fires(&self) -> String {
        let schedule = self.schedule_after.as_ref().or(self.schedule_before.as_ref());
        let named = schedule.and_then(|one| Some((one.timezone.clone(), times::named_zone(&one.timezone).ok()?)));
        let (name, zone) = named.unwrap_or(("UTC".to_owned(), TimeZone::UTC));
        let due = format!("DUE ({})", plain(&name));
        let mut table = table::new(&[due.as_str(), "BEFORE", "AFTER", ""]);
        let all: BTreeSet<Timestamp> = self.before.iter().chain(&self.after).copied().collect();
        for at in all {
            let (was, is) = (self.before.contains(&at), self.after.contains(&at));
            let is_known = self.until.is_some_and(|until| at <= until);
            let mut row = vec![Cell::new(times::due(at, &zone)), mark(was, is_known), mark(is, is_known)];
            row.push(match (was, is, is_known) {
                (true, false, true) => Cell::new("dropped").fg(Color::Red),
                (false, true, true) => Cell::new("added").fg(Color::Green),
                _ => Cell::new(""),
            });
            table.add_row(row);
        }
        table::text(&table)
    }

    fn clock_change(&self, change: &ClockChange) -> String {
        let ClockChange { date, from, to, minutes, effect } = change;
        let zone = self.schedule_after.as_ref().map(|after| plain(&after.timezone)).unwrap_or_default();
        let due = counted(*minutes as usize, "due minute");
        let (from, to) = (from.strftime("%H:%M"), to.strftime("%H:%M"));
        let forward = format!("on {date} the clock of {zone} jumps from {from} to {to}");
        let back = format!("on {date} the clock of {zone} goes back from {to} to {from}");
        match effect {
            Effect::Skipped => format!("{forward}: {due} left out"),
            Effect::Moved => format!("{forward}: {due} moved to {to}"),
            Effect::Once => format!("{back}: {due} repeated, and due the first time only"),
            Effect::Twice => format!("{back}: {due} repeated, and due both times"),
        }
    }
}

fn named(schedule: &Option<Schedule>) -> String {
    match schedule {
        Some(Schedule { schedule, timezone }) if schedule != "manual" => {
            format!("`{}` {}", plain(schedule), plain(timezone))
        }
        Some(_) => "when it is called".to_owned(),
        None => "never".to_owned(),
    }
}

fn mark(is_due: bool, is_known: bool) -> Cell {
    match (is_due, is_known) {
        (true, _) => Cell::new("due"),
        (false, true) => Cell::new("-"),
        (false, false) => Cell::new(""),
    }
}

//! The due instants of a schedule in a zone, also where the zone's clock changes.
//!
//! The rule is that of Debian's cron (<https://manpages.debian.org/bookworm/cron/cron.8.en.html>):
//!
//! - If the minute or the hour begins with `*`, real time goes on: the schedule is due at each instant whose local time
//!   matches, in both passes of an hour that repeats, and never at a local time that is left out.
//! - If both are fixed, a local time that is left out is due at the first instant after the gap, once, and one that
//!   repeats is due at its first pass only.

use super::fields::{Fields, minute_of};
use super::zone::Zone;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp, ToSpan};

/// No clock changes twice within a day.
const DAY: SignedDuration = SignedDuration::from_hours(24);
const INSTANT: SignedDuration = SignedDuration::from_nanos(1);

/// First due instant strictly after `after`.
pub(super) fn next(fields: &Fields, zone: &Zone, after: Timestamp) -> Option<Timestamp> {
    match fields.real_time {
        true => next_in_real_time(fields, zone, after),
        false => next_of_fixed(fields, zone, after),
    }
}

/// Last due instant strictly before `before`.
pub(super) fn previous(fields: &Fields, zone: &Zone, before: Timestamp) -> Option<Timestamp> {
    match fields.real_time {
        true => previous_in_real_time(fields, zone, before),
        false => previous_of_fixed(fields, zone, before),
    }
}

fn next_of_fixed(fields: &Fields, zone: &Zone, after: Timestamp) -> Option<Timestamp> {
    let mut local = zone.local(after);
    loop {
        local = fields.next_after(local)?;
        if let Some(tick) = zone.first_reached(local).filter(|tick| *tick > after) {
            return Some(tick);
        }
    }
}

fn previous_of_fixed(fields: &Fields, zone: &Zone, before: Timestamp) -> Option<Timestamp> {
    let mut local = minute_of(zone.latest_local(before));
    loop {
        let reached = if fields.contains(local) { zone.first_reached(local) } else { None };
        if let Some(tick) = reached.filter(|tick| *tick < before) {
            return Some(tick);
        }
        local = fields.previous_before(local)?;
    }
}

fn next_in_real_time(fields: &Fields, zone: &Zone, after: Timestamp) -> Option<Timestamp> {
    let offset = zone.offset(after);
    let mut local = offset.to_datetime(after);
    let tick = instant(offset, fields.next_after(local)?);
    if let Some(tick) = tick.filter(|tick| tick.duration_since(after) <= DAY && zone.offset(*tick) == offset) {
        return Some(tick);
    }
    // Stretch by stretch: between two changes of the clock the offset stays.
    let mut from = after;
    loop {
        let tick = instant(zone.offset(from), fields.next_after(local)?);
        match zone.next_change(from) {
            Some(change) if tick.is_none_or(|tick| tick >= change) => {
                from = change;
                // A second before, so that a tick at the change itself is found.
                local = zone.offset(change).to_datetime(change).checked_sub(1.second()).ok()?;
            }
            _ => return tick,
        }
    }
}

fn previous_in_real_time(fields: &Fields, zone: &Zone, before: Timestamp) -> Option<Timestamp> {
    let mut until = before;
    loop {
        let offset = zone.offset(until.checked_sub(INSTANT).ok()?);
        let local = full_minute(offset.to_datetime(until))?;
        let tick = instant(offset, fields.previous_before(local)?)?;
        let is_near = until.duration_since(tick) <= DAY && zone.offset(tick) == offset;
        match if is_near { None } else { zone.previous_change(until) } {
            Some(change) if tick < change => until = change,
            _ => return Some(tick),
        }
    }
}

/// The full minute at or after a local time.
fn full_minute(local: DateTime) -> Option<DateTime> {
    let minute = minute_of(local);
    if minute == local { Some(local) } else { minute.checked_add(1.minute()).ok() }
}

fn instant(offset: Offset, local: DateTime) -> Option<Timestamp> {
    offset.to_timestamp(local).ok()
}

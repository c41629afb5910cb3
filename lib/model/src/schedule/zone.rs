//! The zone whose local time a schedule means. The database is compiled in, so that every machine agrees.

use super::error::{ParseError, Reason};
use super::outlook::Clocks;
use jiff::civil::{DateTime, Time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize, Serializer};
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::LazyLock;

static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The name that the database answers for an unknown zone.
const UNKNOWN: &str = "Etc/Unknown";

/// Longer than any name of the database: no nearest zone is looked for beyond.
const LONGEST_NAME: usize = 64;

/// Years in which each zone of the database changes its clock by all the rules that it has from then on.
fn rules() -> (Timestamp, Timestamp) {
    let year = |seconds| Timestamp::constant(seconds, 0);
    (year(1_767_225_600), year(1_924_992_000))
}

/// A time zone by its IANA name, e.g. `Europe/Berlin`. Cloning shares its rules.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Zone(
    /// `None` is UTC, which needs no rules.
    Option<TimeZone>,
);

impl Zone {
    /// The zone of schedules that name none.
    pub const UTC: Zone = Zone(None);

    /// Reads an IANA name in its exact spelling.
    ///
    /// # Errors
    ///
    /// The database has no such name; the hint is the nearest one.
    pub fn parse(name: &str) -> Result<Zone, ParseError> {
        if name == Zone::UTC.as_str() {
            return Ok(Zone::UTC);
        }
        match DATABASE.get(name) {
            Ok(zone) if zone.iana_name() == Some(name) && name != UNKNOWN => Ok(Zone(Some(zone))),
            _ => Err(ParseError::new(0, Reason::Zone { name: name.to_owned(), nearest: nearest(name) })),
        }
    }

    /// The IANA name.
    pub fn as_str(&self) -> &str {
        self.0.as_ref().and_then(TimeZone::iana_name).unwrap_or("UTC")
    }

    pub(super) fn local(&self, at: Timestamp) -> DateTime {
        match &self.0 {
            None => Offset::UTC.to_datetime(at),
            Some(zone) => zone.to_datetime(at),
        }
    }

    pub(super) fn offset(&self, at: Timestamp) -> Offset {
        self.0.as_ref().map_or(Offset::UTC, |zone| zone.to_offset(at))
    }

    /// The next instant after `after` at which the clock may change.
    pub(super) fn next_change(&self, after: Timestamp) -> Option<Timestamp> {
        self.0.as_ref()?.following(after).next().map(|change| change.timestamp())
    }

    /// The last instant before `before` at which the clock may have changed.
    pub(super) fn previous_change(&self, before: Timestamp) -> Option<Timestamp> {
        self.0.as_ref()?.preceding(before).next().map(|change| change.timestamp())
    }

    /// The offsets of these years' rules, which the database continues for ever.
    pub(super) fn offsets(&self) -> BTreeSet<Offset> {
        let (from, until) = rules();
        let changes =
            self.0.iter().flat_map(|zone| zone.following(from)).take_while(|change| change.timestamp() < until);
        changes.map(|change| change.offset()).chain([self.offset(from)]).collect()
    }

    /// Whether a local time of day for which `is_due` holds comes twice on some day.
    pub(super) fn repeats(&self, is_due: impl Fn(Time) -> bool) -> bool {
        let (from, until) = rules();
        let back = self.turns(from, until).into_iter().filter(|(_, _, clocks)| *clocks == Clocks::Back);
        back.into_iter()
            .any(|(from, to, _)| from.series(1.minute()).take_while(|at| *at < to).any(|at| is_due(at.time())))
    }

    /// The local time of day with the zone's abbreviation, e.g. `03:00 CEST`.
    pub(super) fn clock(&self, at: Timestamp) -> String {
        let zone = self.0.clone().unwrap_or(TimeZone::UTC);
        at.to_zoned(zone).strftime("%H:%M %Z").to_string()
    }

    /// A local time such that every later one is first reached at `at` or after. It is ahead of [`Zone::local`] while
    /// an hour repeats: all of that hour has been before.
    pub(super) fn latest_local(&self, at: Timestamp) -> DateTime {
        let local = self.local(at);
        match self.0.as_ref().map(|zone| zone.to_ambiguous_timestamp(local).offset()) {
            Some(AmbiguousOffset::Fold { before, .. }) => before.to_datetime(at),
            _ => local,
        }
    }

    /// When the clock is put forward or back after `after` and up to `until`: the local times that it jumps over or
    /// repeats, from the first to before the last.
    pub(super) fn turns(&self, after: Timestamp, until: Timestamp) -> Vec<(DateTime, DateTime, Clocks)> {
        let Some(zone) = &self.0 else { return Vec::new() };
        let turns = zone.following(after).take_while(|turn| turn.timestamp() <= until);
        let turn = |at: Timestamp, now: Offset| {
            let just_before = at.checked_sub(SignedDuration::from_secs(1)).ok()?;
            let (old, new) = (zone.to_offset(just_before).to_datetime(at), now.to_datetime(at));
            match old.cmp(&new) {
                Ordering::Less => Some((old, new, Clocks::Forward)),
                Ordering::Greater => Some((new, old, Clocks::Back)),
                Ordering::Equal => None,
            }
        };
        turns.filter_map(|found| turn(found.timestamp(), found.offset())).collect()
    }

    /// When a local time is reached for the first time; the end of the gap if the clock jumps over it.
    pub(super) fn first_reached(&self, local: DateTime) -> Option<Timestamp> {
        let Some(zone) = &self.0 else { return Offset::UTC.to_timestamp(local).ok() };
        let offset = match zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset,
            AmbiguousOffset::Fold { before, .. } => before,
            // By the clock of after the gap, the local time lies before the gap's end.
            AmbiguousOffset::Gap { after, .. } => return self.next_change(after.to_timestamp(local).ok()?),
        };
        offset.to_timestamp(local).ok()
    }
}

/// The known name that differs from `name` only by case or blanks, or that ends in it, or that takes the fewest edits.
fn nearest(name: &str) -> Option<String> {
    if name.len() > LONGEST_NAME {
        return None;
    }
    let wanted = name.trim().replace(' ', "_").to_ascii_lowercase();
    let distance = |known: &str| {
        let known = known.to_ascii_lowercase();
        match known.rsplit_once('/') {
            _ if known == wanted => 0,
            Some((_, city)) if city == wanted => 1,
            _ => 1 + strsim::levenshtein(&wanted, &known),
        }
    };
    let known = DATABASE.available().filter(|known| known.as_str() != UNKNOWN);
    let (distance, known) =
        known.map(|known| (distance(known.as_str()), known)).min_by_key(|(distance, _)| *distance)?;
    (distance <= 1 + name.len() / 4).then(|| known.as_str().to_owned())
}

impl TryFrom<String> for Zone {
    type Error = ParseError;

    fn try_from(name: String) -> Result<Zone, ParseError> {
        Zone::parse(&name)
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

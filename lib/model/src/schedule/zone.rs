//! The zone whose local time a schedule means. The database is compiled in, so that every machine agrees.

use super::error::{ParseError, Reason};
use super::outlook::Clocks;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize, Serializer};
use std::cmp::Ordering;
use std::sync::LazyLock;

static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The name that the database answers for a zone that nobody knows.
const UNKNOWN: &str = "Etc/Unknown";

/// Longer than any name of the database: no nearest zone is looked for beyond.
const LONGEST_NAME: usize = 64;

/// A time zone by its IANA name, e.g. `Europe/Berlin`. Cloning shares its rules.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Zone(
    /// `None` is UTC, which needs no rules.
    Option<TimeZone>,
);

impl Zone {
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

    /// When a local time is reached for the first time, or `None` if the clock jumps over it.
    pub(super) fn first_instant(&self, local: DateTime) -> Option<Timestamp> {
        let offset = match &self.0 {
            None => Offset::UTC,
            Some(zone) => match zone.to_ambiguous_timestamp(local).offset() {
                AmbiguousOffset::Unambiguous { offset } => offset,
                AmbiguousOffset::Fold { before, .. } => before,
                AmbiguousOffset::Gap { .. } => return None,
            },
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

//! When a deployment is due:
//!
//! `manual`, a preset such as `@daily`, or five cron fields, in UTC or in a named zone. It reads no clock; every
//! instant is an argument. `parse` reads the text, `fields` finds the next due minute of a calendar, `zone` maps
//! calendars to instants, `eventbridge` says the same to EventBridge Scheduler, `outlook` compares a schedule
//! with the one that it replaces.
//!
//! The meaning is that of croniter, the Python library, for five fields, with these deviations:
//!
//! - A range from a value to itself (`30-30`, `mon-mon`, `59/5`) is that one value, not the whole field.
//! - A step may not be greater than its field (`*/61` in minutes).
//! - 0 is no day and no month, not even as the end of a range (`6-0`).
//! - The first of March is not passed over (`0 0 */5 * *`), nor is the 29th of February on the way back.
//! - `0 0 31 2 1` is every Monday of February; an expression without any due day is refused.
//! - `L`, `W`, `#`, `?`, `H`, `R`, a sixth or seventh field, line breaks, anything but ASCII and presets in upper case
//!   are refused.
//! - Where a zone's clock changes, the rule is that of Debian's cron; `due` states it.
//!
//! Steps start anew with each hour, day, month, year or week: `*/7` in minutes is due at 56 and again at 0.

mod diagnosis;
mod due;
mod error;
mod eventbridge;
mod field;
mod fields;
mod outlook;
mod parse;
mod phrase;
mod render;
mod zone;

pub use error::ParseError;
pub use eventbridge::EventBridge;
pub use outlook::{ClockChange, Clocks, Effect, Outlook};
pub use zone::Zone;

use error::Reason;
use fields::Fields;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;
use std::iter;

/// EventBridge Scheduler fires within the minute, so a minute is the unit of a tick.
/// <https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html>
const TICK_RESOLUTION: SignedDuration = SignedDuration::from_secs(60);

/// 2100-01-01T00:00:00Z in seconds: from here on every zone of the database follows yearly rules, so what fires once
/// after it fires for ever.
const RULES_ONLY: i64 = 4_102_444_800;

/// Stands between the text and the zone of a stored schedule; no schedule has it.
const IN_ZONE: &str = " in ";

/// When a deployment is due. Equal are schedules of the same text and zone; [`Schedule::canonical`] compares meaning.
///
/// It serializes as its text, with ` in ` and the zone's name behind it unless the zone is UTC.
///
/// ```
/// use jiff::Timestamp;
/// use tidemill_model::schedule::{Schedule, Zone};
///
/// let schedule = Schedule::parse("30 9 * * mon-fri")?.in_zone(Zone::parse("Europe/Berlin")?)?;
/// let friday: Timestamp = "2026-03-27T12:00:00Z".parse()?;
///
/// // Berlin's clock goes forward on the Sunday between: 9:30 is an hour earlier in UTC.
/// let monday: Timestamp = "2026-03-30T07:30:00Z".parse()?;
/// assert_eq!(schedule.next_tick(friday), Some(monday));
///
/// let refused = Schedule::parse("*/5 * * *").unwrap_err();
/// assert_eq!(refused.to_string(), "schedule `*/5 * * *` has 4 fields, expected 5");
/// assert_eq!(Schedule::MANUAL.next_tick(friday), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Schedule {
    text: Cow<'static, str>,
    /// `None` is `manual`.
    fields: Option<Fields>,
    zone: Zone,
}

impl Schedule {
    /// The schedule that is never due by itself.
    pub const MANUAL: Schedule = Schedule { text: Cow::Borrowed(parse::MANUAL), fields: None, zone: Zone::UTC };

    /// Reads `manual`, one of the seven presets or five fields, in UTC. Blanks and tabs around fields are free.
    ///
    /// # Errors
    ///
    /// Everything else, including text over 256 characters and expressions that never fire (`0 0 30 2 *`).
    pub fn parse(text: &str) -> Result<Schedule, ParseError> {
        let (text, fields) = parse::schedule(text)?;
        Ok(Schedule { text, fields, zone: Zone::UTC })
    }

    /// The same schedule by the local time of `zone`.
    ///
    /// # Errors
    ///
    /// Its only local times are ones that the zone's clock jumps over every year.
    pub fn in_zone(self, zone: Zone) -> Result<Schedule, ParseError> {
        let schedule = Schedule { zone, ..self };
        let settled = Timestamp::constant(RULES_ONLY, 0);
        if !schedule.is_manual() && schedule.next_tick(settled).is_none() {
            let (text, zone) = (schedule.text.into_owned(), schedule.zone.as_str().to_owned());
            return Err(ParseError::new(0, Reason::NeverFiresInZone { text, zone }));
        }
        Ok(schedule)
    }

    /// The zone whose local time the fields mean.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// The text exactly as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The normal form: two schedules of one zone mean the same minutes if it is equal. It parses to the same meaning.
    pub fn canonical(&self) -> String {
        self.fields.as_ref().map_or_else(|| parse::MANUAL.to_owned(), render::canonical)
    }

    /// Whether it is `manual`: never due by itself.
    pub fn is_manual(&self) -> bool {
        self.fields.is_none()
    }

    /// Next tick strictly after `after`, or `None` if the schedule is `manual` or the year 9999 ends before.
    pub fn next_tick(&self, after: Timestamp) -> Option<Timestamp> {
        due::next(self.fields.as_ref()?, &self.zone, after)
    }

    /// All ticks strictly after `after`, in order; endless for all practical purposes unless `manual`.
    pub fn ticks_after(&self, after: Timestamp) -> impl Iterator<Item = Timestamp> + '_ {
        iter::successors(self.next_tick(after), |tick| self.next_tick(*tick))
    }

    /// Latest tick strictly before `before`, or `None` if the schedule is `manual` or the year -9999 begins after.
    pub fn previous_tick(&self, before: Timestamp) -> Option<Timestamp> {
        due::previous(self.fields.as_ref()?, &self.zone, before)
    }

    /// Whether the minute that `at` lies in is a tick.
    pub fn matches(&self, at: Timestamp) -> bool {
        let Ok(just_after) = at.checked_add(SignedDuration::from_nanos(1)) else { return false };
        self.previous_tick(just_after).is_some_and(|tick| at.duration_since(tick) < TICK_RESOLUTION)
    }

    /// What to register with EventBridge Scheduler: nothing for `manual`, and two expressions where both the days of
    /// the month and the weekdays are restricted. A minute may match both; it is still one tick.
    ///
    /// Each due minute has a bell, except one that is due after a gap because its local time is left out: the sweep
    /// rings for that one. Bells at minutes that are not due do no harm.
    pub fn eventbridge(&self) -> Vec<EventBridge> {
        self.fields.as_ref().map_or_else(Vec::new, |fields| eventbridge::expressions(fields, &self.zone))
    }
}

impl TryFrom<String> for Schedule {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Schedule, ParseError> {
        match text.rsplit_once(IN_ZONE) {
            None => Schedule::parse(&text),
            Some((text, zone)) => Schedule::parse(text)?.in_zone(Zone::parse(zone)?),
        }
    }
}

impl Serialize for Schedule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.zone == Zone::UTC {
            true => serializer.serialize_str(&self.text),
            false => serializer.collect_str(&format_args!("{}{IN_ZONE}{}", self.text, self.zone.as_str())),
        }
    }
}

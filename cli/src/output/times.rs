//! Instants and durations as people write and read them. A due time beside its schedule is in the schedule's own zone;
//! all others are in the one zone of the command: that of `TZ` or UTC, unless `--utc` or `--local` is given.

use crate::failure::Failure;
use crate::output::zone;
use jiff::civil::{DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp, Zoned};
use std::time::{Duration, Instant};

const FORMS: &str = "give RFC 3339 (`2026-11-21T10:05:00Z`), `HH:MM` of today, `yesterday 03:00`, `monday 07:00`, \
    seconds since 1970, or a duration (`15m`)";

const TO_THE_SECOND: &str = "%Y-%m-%d %H:%M:%S";

/// The time of this machine.
#[expect(clippy::disallowed_methods, reason = "the one wall clock of the command")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// A clock that never goes back, to measure by.
#[expect(clippy::disallowed_methods, reason = "the one monotonic clock of the command")]
pub fn clock() -> Instant {
    Instant::now()
}

/// Which way a duration such as `15m` points from now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Toward {
    Past,
    Future,
}

/// Reads an instant: RFC 3339, a date and time, a date, a time of today or of a named day, seconds since 1970, or a
/// duration from now. A weekday is the nearest one in the direction.
pub fn instant(text: &str, zone: &TimeZone, now: Timestamp, toward: Toward) -> Result<Timestamp, String> {
    let text = text.trim();
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant);
    }
    if let Ok(seconds) = text.parse::<f64>() {
        let instant = seconds_since_1970(seconds);
        return instant.ok_or_else(|| format!("`{text}` seconds since 1970 are out of range"));
    }
    if let Some(local) = local_time(text, zone, now).or_else(|| time_of_day_named(text, zone, now, toward)) {
        let zoned = zone.to_zoned(local);
        return zoned.map(|at| at.timestamp()).map_err(|_| format!("`{text}` is out of range"));
    }
    duration_from_now(text, now, toward).ok_or_else(|| format!("`{text}` is not a time; {FORMS}"))
}

/// Exact for whole seconds; the fraction of a float is.
pub fn seconds_since_1970(seconds: f64) -> Option<Timestamp> {
    let duration = SignedDuration::try_from_secs_f64(seconds).ok()?;
    Timestamp::from_duration(duration).ok()
}

fn local_time(text: &str, zone: &TimeZone, now: Timestamp) -> Option<DateTime> {
    if is_time_of_day(text) {
        return time_of_day(text).map(|time| now.to_zoned(zone.clone()).date().to_datetime(time));
    }
    text.starts_with(|c: char| c.is_ascii_digit()).then(|| text.parse::<DateTime>().ok()).flatten()
}

fn is_time_of_day(text: &str) -> bool {
    text.len() >= 4 && text.chars().all(|c| c.is_ascii_digit() || c == ':')
}

fn time_of_day(text: &str) -> Option<Time> {
    let padded = if text.find(':') == Some(1) { format!("0{text}") } else { text.to_owned() };
    padded.parse().ok()
}

/// `yesterday 03:00`, `monday at 07:00`; without a time it is midnight.
fn time_of_day_named(text: &str, zone: &TimeZone, now: Timestamp, toward: Toward) -> Option<DateTime> {
    let text = text.to_ascii_lowercase();
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let (day, time) = match words.as_slice() {
        [day] => (*day, Time::midnight()),
        [day, time] | [day, "at", time] if is_time_of_day(time) => (*day, time_of_day(time)?),
        _ => return None,
    };
    let here = now.to_zoned(zone.clone()).datetime();
    let date = match day {
        "today" => here.date(),
        "yesterday" => here.date().yesterday().ok()?,
        "tomorrow" => here.date().tomorrow().ok()?,
        _ => {
            let weekday = weekday(day)?;
            let same = here.date().to_datetime(time);
            let step = if toward == Toward::Past { -1 } else { 1 };
            let is_today =
                here.weekday() == weekday && (if toward == Toward::Past { same <= here } else { same > here });
            if is_today { here.date() } else { here.date().nth_weekday(step, weekday).ok()? }
        }
    };
    Some(date.to_datetime(time))
}

/// `monday` or `mon`.
fn weekday(name: &str) -> Option<Weekday> {
    const NAMES: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let index = NAMES.iter().position(|known| *known == name || known[..3] == *name)?;
    Weekday::from_monday_zero_offset(i8::try_from(index).ok()?).ok()
}

fn duration_from_now(text: &str, now: Timestamp, toward: Toward) -> Option<Timestamp> {
    let span = span(text.trim_end_matches("ago"))?;
    let span = if toward == Toward::Past { -span.abs() } else { span.abs() };
    let then: Zoned = now.to_zoned(TimeZone::UTC).checked_add(span).ok()?;
    Some(then.timestamp())
}

/// An instant as it was given. It is read when it is used, since the zone may stand behind it.
#[derive(Clone, Debug)]
pub struct Given {
    text: String,
    toward: Toward,
}

impl Given {
    fn checked(text: &str, toward: Toward) -> Result<Given, String> {
        instant(text, &TimeZone::UTC, now(), toward)?;
        Ok(Given { text: text.to_owned(), toward })
    }

    /// In the zone of the command.
    pub fn instant(&self) -> Result<Timestamp, Failure> {
        self.instant_in(&zone::shown().zone)
    }

    pub fn instant_in(&self, zone: &TimeZone) -> Result<Timestamp, Failure> {
        let read = instant(&self.text, zone, now(), self.toward);
        read.map_err(|message| Failure::argument(message, "give another time"))
    }
}

/// For an argument that names an instant in the past.
pub fn past(text: &str) -> Result<Given, String> {
    Given::checked(text, Toward::Past)
}

/// For an argument that names an instant to come.
pub fn future(text: &str) -> Result<Given, String> {
    Given::checked(text, Toward::Future)
}

/// Reads `90m`, `1h 30m`, `1d`.
fn span(text: &str) -> Option<Span> {
    text.trim().parse().ok()
}

/// For an argument that says how long, e.g. `30m` or `1d` of 24 hours; a bare number is seconds.
pub fn duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let seconds = text.parse().ok().and_then(|seconds| SignedDuration::try_from_secs_f64(seconds).ok());
    let in_units = || span(text)?.to_duration(SpanRelativeTo::days_are_24_hours()).ok();
    let duration = seconds.or_else(in_units).and_then(|given| given.try_into().ok());
    duration.ok_or_else(|| format!("`{text}` is not a duration; give e.g. `90s`, `30m`, `2h` or `1d`"))
}

/// For an argument that says how long to the second.
pub fn whole_seconds(text: &str) -> Result<u32, String> {
    let given = duration(text)?;
    let seconds = u32::try_from(given.as_secs()).ok().filter(|_| given.subsec_nanos() == 0);
    seconds.ok_or_else(|| format!("`{text}` is not a number of whole seconds; give e.g. `90s`, `30m`, `2h` or `1d`"))
}

/// For an argument that names a time zone.
pub fn named_zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name)
        .map_err(|_| format!("time zone `{name}` does not exist; give an IANA name, e.g. `Europe/Madrid`"))
}

/// `3 min ago`, `in 2 h`, `now`.
pub fn relative(at: Timestamp, now: Timestamp) -> String {
    let seconds = at.duration_since(now).as_secs();
    match seconds {
        0 => "now".to_owned(),
        1.. => format!("in {}", coarse(seconds)),
        _ => format!("{} ago", coarse(-seconds)),
    }
}

/// The time and how far it is away: `2026-11-21 10:05:00 UTC (3 min ago)`.
pub fn both(at: Timestamp, now: Timestamp) -> String {
    format!("{} ({})", absolute(at), relative(at, now))
}

/// The same for a due time, in its schedule's zone.
pub fn both_in(at: Timestamp, now: Timestamp, zone: &str) -> String {
    format!("{} ({})", absolute_in(at, zone), relative(at, now))
}

/// To the second, with the name of the command's zone.
pub fn absolute(at: Timestamp) -> String {
    format!("{} {}", bare(at), zone::shown().name)
}

/// To the second, in a schedule's zone. One that is not known here is that of a later plane, which leaves UTC.
pub fn absolute_in(at: Timestamp, zone: &str) -> String {
    match TimeZone::get(zone) {
        Ok(known) => format!("{} {zone}", at.to_zoned(known).strftime(TO_THE_SECOND)),
        Err(_) => format!("{} UTC", at.strftime(TO_THE_SECOND)),
    }
}

/// The weekday and the minute in a schedule's zone, with the short name that tells apart the hours that a clock repeats.
pub fn due(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%a %Y-%m-%d %H:%M:%S %Z").to_string()
}

/// The time alone, for a column whose heading names the zone.
pub fn bare(at: Timestamp) -> String {
    at.to_zoned(zone::shown().zone.clone()).strftime(TO_THE_SECOND).to_string()
}

/// The heading of a column of times: `DUE (UTC)`.
pub fn heading(name: &str) -> String {
    format!("{name} ({})", zone::shown().name)
}

/// `18:05:00 UTC`, for a line of a log.
pub fn of_day(at: Timestamp) -> String {
    at.to_zoned(zone::shown().zone.clone()).strftime("%H:%M:%S %Z").to_string()
}

/// `18:05:00.250 UTC`
pub fn of_day_exact(at: Timestamp) -> String {
    at.to_zoned(zone::shown().zone.clone()).strftime("%H:%M:%S%.3f %Z").to_string()
}

/// One unit, rounded down.
fn coarse(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// `340 ms`, `2.4 s`, `3 min 5 s`.
pub fn milliseconds(ms: i64) -> String {
    match ms {
        ..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{:.1} s", ms as f64 / 1_000.0),
        _ => seconds(ms / 1_000),
    }
}

/// At most two units.
pub fn seconds(total: i64) -> String {
    let pair = |large: i64, name: &str, rest: i64, small: &str| match rest {
        0 => format!("{large} {name}"),
        _ => format!("{large} {name} {rest} {small}"),
    };
    match total {
        ..60 => format!("{total} s"),
        60..3_600 => pair(total / 60, "min", total % 60, "s"),
        3_600..86_400 => pair(total / 3_600, "h", total % 3_600 / 60, "min"),
        _ => pair(total / 86_400, "d", total % 86_400 / 3_600, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn read(text: &str, toward: Toward) -> Option<Timestamp> {
        instant(text, &TimeZone::UTC, at("2026-11-21T10:05:30Z"), toward).ok()
    }

    #[test]
    fn every_form_of_an_instant_is_read() {
        for text in
            ["2026-11-21T09:50:30Z", "2026-11-21 09:50:30", "09:50:30", "9:50:30", "1795254630", "15m", "15 min ago"]
        {
            assert_eq!(read(text, Toward::Past), Some(at("2026-11-21T09:50:30Z")), "{text}");
        }
        assert_eq!(read("90d", Toward::Future), Some(at("2027-02-19T10:05:30Z")));
        for text in ["", "soon", "25:00", "2026-13-01", "1e300", "nan", "-"] {
            assert_eq!(read(text, Toward::Past), None, "{text}");
        }
    }

    #[test]
    fn a_time_of_day_is_of_today_in_the_zone() {
        let zone = named_zone("Asia/Tokyo").unwrap();

        let read = instant("09:00", &zone, at("2026-11-21T20:00:00Z"), Toward::Past).unwrap();

        assert_eq!(read, at("2026-11-22T00:00:00Z"));
    }

    #[test]
    fn a_day_may_be_named_and_a_weekday_is_the_nearest_one_in_the_direction() {
        // A Saturday, 10:05:30.
        for (text, past, future) in [
            ("yesterday 03:00", "2026-11-20T03:00:00Z", "2026-11-20T03:00:00Z"),
            ("Today at 9:00", "2026-11-21T09:00:00Z", "2026-11-21T09:00:00Z"),
            ("tomorrow", "2026-11-22T00:00:00Z", "2026-11-22T00:00:00Z"),
            ("monday 07:00", "2026-11-16T07:00:00Z", "2026-11-23T07:00:00Z"),
            ("sat 10:05", "2026-11-21T10:05:00Z", "2026-11-28T10:05:00Z"),
            ("saturday 11:00", "2026-11-14T11:00:00Z", "2026-11-21T11:00:00Z"),
        ] {
            assert_eq!(
                (read(text, Toward::Past), read(text, Toward::Future)),
                (Some(at(past)), Some(at(future))),
                "{text}"
            );
        }
        for text in ["someday 07:00", "monday 25:00", "monday 07:00 sharp", "yesterday noon"] {
            assert_eq!(read(text, Toward::Past), None, "{text}");
        }
    }

    #[test]
    fn a_duration_is_seconds_unless_it_names_a_unit() {
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1h 30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(duration("0"), Ok(Duration::ZERO));
        assert_eq!(duration("0.5"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("1d"), Ok(Duration::from_secs(86_400)));
        assert_eq!(duration("90m"), Ok(Duration::from_secs(5_400)));
        for text in ["", "-5m", "soon", "5 parsecs", "1 month", "inf"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn seconds_may_be_given_as_any_duration() {
        assert_eq!(whole_seconds("5m"), Ok(300));
        assert_eq!(whole_seconds("300"), Ok(300));
        assert!(whole_seconds("1500ms").is_err());
    }

    #[test]
    fn a_due_time_is_in_the_zone_of_its_schedule() {
        assert_eq!(absolute_in(at("2026-11-21T10:00:00Z"), "Asia/Kolkata"), "2026-11-21 15:30:00 Asia/Kolkata");
        assert_eq!(absolute_in(at("2026-11-21T10:00:00Z"), "Mars/Olympus"), "2026-11-21 10:00:00 UTC");
        let berlin = named_zone("Europe/Berlin").unwrap();
        assert_eq!(due(at("2026-10-25T00:30:00Z"), &berlin), "Sun 2026-10-25 02:30:00 CEST");
        assert_eq!(due(at("2026-10-25T01:30:00Z"), &berlin), "Sun 2026-10-25 02:30:00 CET");
    }

    #[test]
    fn instants_are_shown_relative_to_now() {
        let now = at("2026-11-21T10:00:00Z");
        assert_eq!(relative(at("2026-11-21T09:57:00Z"), now), "3 min ago");
        assert_eq!(relative(at("2026-11-21T12:30:00Z"), now), "in 2 h");
        assert_eq!(relative(now, now), "now");
        assert_eq!(milliseconds(185_000), "3 min 5 s");
    }
}

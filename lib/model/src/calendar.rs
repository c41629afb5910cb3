//! Maps the time of schedules to the time of clocks. They are the same, unless a plane is started with a shortened
//! schedule minute (`tidemill dev --minute 1`) for trying schedules out.

use crate::schedule::Schedule;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// Where both times agree: 2026-01-01T00:00:00Z. A fixed instant, so that a restart maps as before.
const ANCHOR: i64 = 1_767_225_600_000;
const REAL_MINUTE: i64 = 60_000;

/// How long a schedule's minute lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calendar {
    minute_ms: i64,
}

impl Default for Calendar {
    fn default() -> Calendar {
        Calendar { minute_ms: REAL_MINUTE }
    }
}

impl Calendar {
    /// A calendar whose minutes last `minute`: 0.1 s to 60 s, else `None`.
    pub fn with_minute(minute: Duration) -> Option<Calendar> {
        let minute_ms = i64::try_from(minute.as_millis()).ok()?;
        (100..=REAL_MINUTE).contains(&minute_ms).then_some(Calendar { minute_ms })
    }

    /// How long a schedule's minute lasts on the clock.
    pub fn minute(&self) -> Duration {
        Duration::from_millis(self.minute_ms as u64)
    }

    /// How long a duration of the schedule's time lasts on the clock.
    pub fn scaled(&self, duration: Duration) -> Duration {
        duration.mul_f64(self.minute_ms as f64 / REAL_MINUTE as f64)
    }

    /// The next due instant strictly after `after`, on the clock.
    pub fn next_tick(&self, schedule: &Schedule, after: Timestamp) -> Option<Timestamp> {
        if self.minute_ms == REAL_MINUTE {
            return schedule.next_tick(after);
        }
        schedule.next_tick(self.to_schedule(after)?).and_then(|tick| self.to_clock(tick))
    }

    /// The latest due instant strictly before `before`, on the clock.
    pub fn previous_tick(&self, schedule: &Schedule, before: Timestamp) -> Option<Timestamp> {
        if self.minute_ms == REAL_MINUTE {
            return schedule.previous_tick(before);
        }
        // Rounded up, so that a tick whose clock instant lies before `before` is before it here too.
        let instant = self.to_schedule(before)?;
        schedule.previous_tick(instant).and_then(|tick| self.to_clock(tick))
    }

    /// Due instants after `after` and up to `until`, in order.
    pub fn ticks_between<'a>(
        &'a self,
        schedule: &'a Schedule,
        after: Timestamp,
        until: Timestamp,
    ) -> impl Iterator<Item = Timestamp> + 'a {
        std::iter::successors(self.next_tick(schedule, after), |tick| self.next_tick(schedule, *tick))
            .take_while(move |tick| *tick <= until)
    }

    fn to_schedule(self, clock: Timestamp) -> Option<Timestamp> {
        self.map(clock, REAL_MINUTE, self.minute_ms)
    }

    fn to_clock(self, schedule: Timestamp) -> Option<Timestamp> {
        self.map(schedule, self.minute_ms, REAL_MINUTE)
    }

    /// Scales the distance from the anchor; `None` outside the range of timestamps.
    fn map(self, at: Timestamp, multiply: i64, divide: i64) -> Option<Timestamp> {
        let anchor = Timestamp::from_millisecond(ANCHOR).expect("the anchor is a timestamp");
        let distance = at.duration_since(anchor).as_nanos();
        let scaled = distance * i128::from(multiply) / i128::from(divide);
        anchor.checked_add(SignedDuration::from_nanos_i128(scaled)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn an_ordinary_calendar_is_the_clock() {
        let every_minute = Schedule::parse("* * * * *").unwrap();
        let next = Calendar::default().next_tick(&every_minute, at("2026-11-21T10:00:30Z"));
        assert_eq!(next, Some(at("2026-11-21T10:01:00Z")));
    }

    #[test]
    fn a_minute_of_one_second_fires_every_second() {
        let calendar = Calendar::with_minute(Duration::from_secs(1)).unwrap();
        let every_five = Schedule::parse("*/5 * * * *").unwrap();

        let ticks: Vec<_> =
            calendar.ticks_between(&every_five, at("2026-11-21T10:00:01Z"), at("2026-11-21T10:00:16Z")).collect();

        assert_eq!(ticks, [at("2026-11-21T10:00:05Z"), at("2026-11-21T10:00:10Z"), at("2026-11-21T10:00:15Z")]);
        for tick in &ticks[1..] {
            let before = calendar.previous_tick(&every_five, *tick).unwrap();
            assert_eq!(calendar.next_tick(&every_five, before), Some(*tick));
        }
    }

    #[test]
    fn minutes_outside_the_range_are_refused() {
        assert_eq!(Calendar::with_minute(Duration::from_millis(99)), None);
        assert_eq!(Calendar::with_minute(Duration::from_secs(61)), None);
    }
}

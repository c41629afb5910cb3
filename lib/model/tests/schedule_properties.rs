//! What holds for every schedule: contracts of ticks, of the normal form and of the translation to EventBridge.

mod schedule_support;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use proptest::prelude::*;
use schedule_support::{Cron, instants, minutes_from, schedules};
use tidemill_model::schedule::{Schedule, Zone};

const DAY: SignedDuration = SignedDuration::from_hours(24);
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// Twenty-eight years without an exception at a century's end: the calendar repeats.
const CALENDAR_CYCLE: SignedDuration = SignedDuration::from_hours(24 * 10_227);

fn next(schedule: &Schedule, after: Timestamp) -> Timestamp {
    schedule.next_tick(after).expect("fires")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn the_next_tick_is_the_first_match_after_the_instant(schedule in schedules(), after in instants()) {
        let tick = next(&schedule, after);

        prop_assert!(tick > after);
        prop_assert_eq!(tick.as_second().rem_euclid(60), 0);
        prop_assert!(schedule.matches(tick));
        let nearby = minutes_from(after).skip(1).take(3 * 1440).take_while(|minute| *minute < tick);
        for minute in nearby {
            prop_assert!(!schedule.matches(minute), "{} comes first", minute);
        }
        // A tick of a later day is the day's first, so any earlier due day would match at the same time of day.
        let mut day = tick - DAY;
        while day > after {
            prop_assert!(!schedule.matches(day), "{} comes first", day);
            day -= DAY;
        }
    }

    #[test]
    fn ticks_only_go_forward(schedule in schedules(), after in instants(), later in 0_i64..1_000_000) {
        let ticks: Vec<_> = schedule.ticks_after(after).take(20).collect();
        let from_later = next(&schedule, after + SECOND * later as i32);

        prop_assert!(ticks.is_sorted_by(|a, b| a < b));
        prop_assert!(from_later >= ticks[0]);
    }

    #[test]
    fn the_previous_tick_mirrors_the_next(schedule in schedules(), instant in instants()) {
        let previous = schedule.previous_tick(instant).expect("fired");

        prop_assert!(previous < instant && schedule.matches(previous));
        prop_assert!(next(&schedule, previous) >= instant);
        prop_assert_eq!(schedule.previous_tick(previous + SECOND), Some(previous));
        prop_assert_eq!(schedule.previous_tick(next(&schedule, previous)), Some(previous));
    }

    #[test]
    fn any_second_of_a_due_minute_matches(schedule in schedules(), after in instants(), second in 0..60) {
        let tick = next(&schedule, after);

        prop_assert!(schedule.matches(tick + SECOND * second));
    }

    #[test]
    fn the_normal_form_keeps_the_meaning(schedule in schedules(), after in instants()) {
        let canonical = schedule.canonical();

        let again = Schedule::parse(&canonical).expect("the normal form is an expression");

        prop_assert_eq!(again.canonical(), canonical);
        prop_assert_eq!(again.eventbridge(), schedule.eventbridge());
        prop_assert!(again.ticks_after(after).take(20).eq(schedule.ticks_after(after).take(20)));
    }

    #[test]
    fn after_twenty_eight_years_the_ticks_repeat(schedule in schedules(), second in 0_i64..2_000_000_000) {
        let after = Timestamp::from_second(second).expect("within range");

        prop_assert_eq!(next(&schedule, after) + CALENDAR_CYCLE, next(&schedule, after + CALENDAR_CYCLE));
    }

    #[test]
    fn a_tick_is_at_most_eight_years_away_or_twelve_around_a_common_century(
        schedule in schedules(),
        after in instants(),
    ) {
        let start = after.to_zoned(TimeZone::UTC);
        let over_2100 = (2092..2100).contains(&start.year());
        let years = if over_2100 { 12 } else { 8 };

        let latest = start.checked_add(years.years()).expect("within range").timestamp();

        prop_assert!(next(&schedule, after) <= latest);
    }

    #[test]
    fn the_zone_utc_is_no_zone(schedule in schedules(), after in instants()) {
        let utc = schedule.clone().in_zone(Zone::parse("UTC").unwrap()).unwrap();
        let by_rules = schedule.clone().in_zone(Zone::parse("Etc/UTC").unwrap()).unwrap();

        prop_assert_eq!(&utc, &schedule);
        prop_assert!(by_rules.ticks_after(after).take(20).eq(schedule.ticks_after(after).take(20)));
        prop_assert_eq!(by_rules.previous_tick(after), schedule.previous_tick(after));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    #[test]
    fn eventbridge_fires_at_the_same_minutes(schedule in schedules(), after in instants()) {
        let translated = schedule.eventbridge();
        let crons: Vec<_> = translated.iter().map(|one| Cron::parse(&one.expression)).collect();
        let fires = |at: Timestamp| crons.iter().any(|cron| cron.matches(at.to_zoned(TimeZone::UTC).datetime()));

        // Random days seldom match a rare schedule, so the day of a tick is looked at as well.
        for from in [after, next(&schedule, after)] {
            for minute in minutes_from(from - SignedDuration::from_hours(1)).take(1440) {
                prop_assert_eq!(schedule.matches(minute), fires(minute), "at {}", minute);
            }
        }
        // Each of the expressions is needed: a half that never fires would be a dead schedule.
        for cron in &crons {
            let mut days = (0..12 * 366).map(|day| next(&schedule, after) + DAY * day);
            prop_assert!(days.any(|day| cron.matches(day.to_zoned(TimeZone::UTC).datetime())) || crons.len() == 1);
        }
    }
}

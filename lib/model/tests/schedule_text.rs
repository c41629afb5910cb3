//! What an expression means, where schedulers disagree: one test per trap.

mod schedule_support;

use jiff::SignedDuration;
use schedule_support::{at, schedule};
use tidemill_model::schedule::{Schedule, Zone};

/// Two expressions mean the same if their normal forms and translations are equal.
#[track_caller]
fn same(given: &str, expected: &str) {
    let (given, expected) = (schedule(given), schedule(expected));
    assert_eq!(given.canonical(), expected.canonical());
    assert_eq!(given.eventbridge(), expected.eventbridge());
}

#[track_caller]
fn ticks(expression: &str, after: &str, expected: &[&str]) {
    let ticks: Vec<_> = schedule(expression).ticks_after(at(after)).take(expected.len()).collect();
    assert_eq!(ticks, expected.iter().map(|tick| at(tick)).collect::<Vec<_>>(), "{expression}");
}

#[test]
fn restricted_days_and_weekdays_are_a_union() {
    ticks("0 0 13 * fri", "2026-02-10T00:00Z", &["2026-02-13T00:00Z", "2026-02-20T00:00Z", "2026-02-27T00:00Z"]);
    ticks("0 0 10 * mon", "2026-03-04T00:00Z", &["2026-03-09T00:00Z", "2026-03-10T00:00Z", "2026-03-16T00:00Z"]);
}

#[test]
fn one_restricted_day_field_stands_alone() {
    ticks("0 0 13 * *", "2026-02-10T00:00Z", &["2026-02-13T00:00Z", "2026-03-13T00:00Z"]);
    ticks("0 0 * * fri", "2026-02-10T00:00Z", &["2026-02-13T00:00Z", "2026-02-20T00:00Z"]);
}

#[test]
fn a_step_restricts_its_day_field() {
    ticks("0 0 */10 * mon", "2026-03-01T00:00Z", &["2026-03-02T00:00Z", "2026-03-09T00:00Z", "2026-03-11T00:00Z"]);
    same("0 0 */1 * mon", "0 0 * * *");
}

#[test]
fn a_full_range_of_days_is_not_a_star() {
    same("0 0 1-31 * mon", "0 0 * * *");
    same("0 0 15 * 0-6", "0 0 * * *");
    same("0 0 15 * mon-sun", "0 0 * * *");
}

#[test]
fn a_full_range_beside_a_stepped_star_gives_way_as_in_croniter() {
    same("0 0 */2 * 0-6", "0 0 */2 * *");
    same("0 0 1-31 * */2", "0 0 * * 0,2,4,6");
}

#[test]
fn a_list_with_a_star_is_a_star() {
    same("*,5 0 * * *", "* 0 * * *");
    same("0 0 5,* * mon", "0 0 * * mon");
}

#[test]
fn a_range_to_itself_is_one_value() {
    same("30-30 * * * *", "30 * * * *");
    same("0 0 * jan-jan mon-mon", "0 0 * 1 1");
    same("59/5 23/2 31/3 12/4 6/2", "59 23 31 12 6");
}

#[test]
fn a_range_may_go_over_the_end() {
    same("0 22-4 * * *", "0 22,23,0,1,2,3,4 * * *");
    same("0 0 * nov-feb fri-mon", "0 0 * 11,12,1,2 5,6,0,1");
    same("50-10/10 0 28-2 * *", "50,0,10 0 28,29,30,31,1,2 * *");
}

#[test]
fn a_step_over_the_end_leaves_out_as_many_as_croniter() {
    same("0 22-4/2 * * *", "0 22,0,2,4 * * *");
    same("0 22-4/3 * * *", "0 22,2 * * *");
    same("0 23-4/2 * * *", "0 23,2,4 * * *");
    same("0 0 * apr-jan/3 *", "0 0 * 4,7,10,1 *");
}

#[test]
fn sunday_is_0_and_7() {
    same("0 0 * * 7", "0 0 * * sun");
    same("0 0 * * 5-7", "0 0 * * 0,5,6");
    same("0 0 * * 0-7", "0 0 * * *");
    same("0 0 * * 7-3", "0 0 * * 0-3");
    same("0 0 * * 7-7", "0 0 * * 0");
    same("0 0 * * 7/2", "0 0 * * 0/2");
    same("0 0 * * mon-7/3", "0 0 * * 0,1,4");
}

#[test]
fn a_step_from_a_value_runs_to_the_end_of_the_field() {
    same("7/20 * * * *", "7,27,47 * * * *");
    same("0 0 * * 1/3", "0 0 * * 1,4");
    same("*/60 */24 */31 */12 *", "*/60 0 1 1 *");
    same("0 0 * * */7", "0 0 * * 0");
}

#[test]
fn steps_start_anew_with_each_hour() {
    ticks("*/25 * * * *", "2026-01-01T00:49Z", &["2026-01-01T00:50Z", "2026-01-01T01:00Z", "2026-01-01T01:25Z"]);
}

#[test]
fn days_that_no_month_has_leave_the_weekdays() {
    same("0 0 31 2 1", "0 0 * 2 1");
    ticks("0 0 31 2 1", "2026-01-31T00:00Z", &["2026-02-02T00:00Z", "2026-02-09T00:00Z"]);
}

#[test]
fn leap_days_are_found_over_a_common_century() {
    ticks("0 12 29 2 *", "2026-01-01T00:00Z", &["2028-02-29T12:00Z", "2032-02-29T12:00Z"]);
    ticks("0 12 29 2 *", "2096-03-01T00:00Z", &["2104-02-29T12:00Z"]);
    let leap_days = schedule("0 12 29 2 *");
    assert_eq!(leap_days.previous_tick(at("2104-02-29T12:00Z")), Some(at("2096-02-29T12:00Z")));
}

#[test]
fn a_year_ends_between_ticks() {
    ticks("59 23 31 12 *", "2026-12-31T23:58:59Z", &["2026-12-31T23:59Z", "2027-12-31T23:59Z"]);
    ticks("* * * * *", "2026-12-31T23:59:00Z", &["2027-01-01T00:00Z"]);
}

#[test]
fn a_tick_is_strictly_after_and_strictly_before() {
    let hourly = schedule("@hourly");
    assert_eq!(hourly.next_tick(at("2026-01-01T01:00:00Z")), Some(at("2026-01-01T02:00Z")));
    assert_eq!(hourly.next_tick(at("2026-01-01T00:59:59.999999999Z")), Some(at("2026-01-01T01:00Z")));
    assert_eq!(hourly.previous_tick(at("2026-01-01T01:00:00Z")), Some(at("2026-01-01T00:00Z")));
    assert_eq!(hourly.previous_tick(at("2026-01-01T01:00:00.000000001Z")), Some(at("2026-01-01T01:00Z")));
    assert_eq!(hourly.next_tick(at("1969-12-31T22:30:00.5Z")), Some(at("1969-12-31T23:00Z")));
}

#[test]
fn ticks_end_with_the_range_of_time() {
    let (first, last) = (jiff::Timestamp::MIN, jiff::Timestamp::MAX);
    for zone in ["UTC", "Europe/Berlin", "Pacific/Kiritimati", "Pacific/Niue"] {
        let schedule = schedule("* * * * *").in_zone(Zone::parse(zone).unwrap()).unwrap();
        assert_eq!(schedule.next_tick(last), None);
        assert_eq!(schedule.previous_tick(first), None);
        assert!(
            schedule.previous_tick(last).is_some_and(|tick| last.duration_since(tick) < SignedDuration::from_mins(2))
        );
        assert!(
            schedule.next_tick(first).is_some_and(|tick| tick.duration_since(first) < SignedDuration::from_mins(2))
        );
    }
}

#[test]
fn presets_are_their_expressions() {
    for (preset, expression) in [
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
    ] {
        assert_eq!(schedule(preset).canonical(), expression);
        assert_eq!(schedule(preset).as_str(), preset);
    }
}

#[test]
fn manual_is_never_due() {
    let manual = schedule("manual").in_zone(Zone::parse("Europe/Berlin").unwrap()).unwrap();

    assert!(manual.is_manual() && Schedule::MANUAL.is_manual());
    assert_eq!(schedule("manual"), Schedule::MANUAL);
    assert_eq!(manual.canonical(), "manual");
    assert_eq!(manual.next_tick(at("2026-01-01T00:00Z")), None);
    assert_eq!(manual.previous_tick(at("2026-01-01T00:00Z")), None);
    assert_eq!(manual.ticks_after(at("2026-01-01T00:00Z")).count(), 0);
    assert!(!manual.matches(at("2026-01-01T00:00Z")));
    assert_eq!(manual.eventbridge(), []);
}

#[test]
fn a_star_that_decides_at_changes_of_the_clock_stays_in_the_normal_form() {
    let normal = |text: &str| schedule(text).canonical();

    assert_eq!(normal("0 0-23 * * *"), "0 0-23 * * *");
    assert_eq!(normal("0 */1 * * *"), "0 * * * *");
    assert_eq!(normal("*/20,7 5 * * *"), "*/20,7 5 * * *");
    assert_eq!(normal("0-59/15 5 * * *"), "0/15 5 * * *");
    assert_eq!(normal("*/15 5 * * *"), "*/15 5 * * *");
}

#[test]
fn the_text_is_kept_as_given() {
    let text = " 05\t*/15  1,1 JAN Mon-FRI ";
    let json = serde_json::to_string(&schedule(text)).unwrap();

    assert_eq!(schedule(text).as_str(), text);
    assert_eq!(schedule(text).canonical(), "5 */15 1 1 1-5");
    assert_eq!(serde_json::from_str::<Schedule>(&json).unwrap(), schedule(text));
}

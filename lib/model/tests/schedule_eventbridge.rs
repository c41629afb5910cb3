//! What is registered with EventBridge Scheduler.

mod schedule_support;

use schedule_support::{Cron, schedule};
use tidemill_model::schedule::Zone;

#[track_caller]
fn registers(expression: &str, expected: &[(&str, &str)]) {
    let registered = schedule(expression).eventbridge();
    let registered: Vec<_> = registered.iter().map(|one| (one.suffix, one.expression.as_str())).collect();
    assert_eq!(registered, expected, "{expression}");
}

#[test]
fn one_expression_suffices_unless_both_day_fields_are_restricted() {
    registers("*/5 * * * *", &[("d", "cron(0/5 * * * ? *)")]);
    registers("0 6 1,15 * *", &[("d", "cron(0 6 1,15 * ? *)")]);
    registers("30 6 * * 1-5", &[("w", "cron(30 6 ? * MON-FRI *)")]);
    registers("0 0 1-31 * mon", &[("d", "cron(0 0 * * ? *)")]);
    registers("0 0 31 2 1", &[("w", "cron(0 0 ? 2 MON *)")]);
    registers("0 0 13 * fri", &[("d", "cron(0 0 13 * ? *)"), ("w", "cron(0 0 ? * FRI *)")]);
}

#[test]
fn weekdays_go_by_name() {
    registers("0 0 * * 0,6", &[("w", "cron(0 0 ? * SUN,SAT *)")]);
    registers("0 0 * * fri-mon", &[("w", "cron(0 0 ? * SUN,MON,FRI,SAT *)")]);
    registers("0 0 * * */2", &[("w", "cron(0 0 ? * SUN,TUE,THU,SAT *)")]);
}

#[test]
fn a_step_is_one_only_if_it_runs_to_the_end() {
    registers("7/20 1-23/2 * 2/3 *", &[("d", "cron(7/20 1/2 * 2/3 ? *)")]);
    registers("0-30/10 22-4 1-10/3 * *", &[("d", "cron(0,10,20,30 0-4,22,23 1,4,7,10 * ? *)")]);
}

#[test]
fn the_longest_expression_fits() {
    let pairs = |from: u32, to: u32| {
        let values: Vec<_> = (from..=to).filter(|value| value % 3 != 1).map(|value| value.to_string()).collect();
        values.join(",")
    };
    let ranges = |from: u32, to: u32| {
        let values: Vec<_> = (from..to).step_by(3).map(|value| format!("{value}-{}", value + 1)).collect();
        values.join(",")
    };
    let text = format!("{} {} {} {} *", ranges(0, 59), pairs(0, 23), ranges(1, 31), pairs(2, 12));

    let registered = schedule(&text).eventbridge();

    assert!(registered[0].expression.len() > 200);
    Cron::parse(&registered[0].expression);
}

#[track_caller]
fn registers_in(zone: &str, expression: &str, expected: &[(&str, &str)]) {
    let schedule = schedule(expression).in_zone(Zone::parse(zone).expect("a zone")).expect("a schedule in it");
    let registered = schedule.eventbridge();
    let registered: Vec<_> = registered.iter().map(|one| (one.expression.as_str(), one.timezone.as_str())).collect();
    assert_eq!(registered, expected, "{expression} in {zone}");
}

#[test]
fn what_is_due_in_both_passes_of_an_hour_rings_by_utc() {
    registers_in("Europe/Berlin", "0 * * * *", &[("cron(0 * * * ? *)", "UTC")]);
    registers_in("Europe/Berlin", "*/30 2 * * mon", &[("cron(0,30 0,1 ? * MON *)", "UTC")]);
    registers_in("America/New_York", "*/30 1 1 * *", &[("cron(0,30 5,6 1 * ? *)", "UTC")]);
    registers_in("Australia/Lord_Howe", "*/20 1 1 3 *", &[("cron(0/10 14,15 28-31 2-4 ? *)", "UTC")]);
}

#[test]
fn what_is_due_once_rings_by_the_zone() {
    registers_in("Europe/Berlin", "30 2 * * *", &[("cron(30 2 * * ? *)", "Europe/Berlin")]);
    registers_in("Europe/Berlin", "*/15 9-17 * * mon-fri", &[("cron(0/15 9-17 ? * MON-FRI *)", "Europe/Berlin")]);
    registers_in("Asia/Kathmandu", "* * * * *", &[("cron(* * * * ? *)", "Asia/Kathmandu")]);
}

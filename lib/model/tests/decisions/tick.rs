//! Outcomes of due minutes.

use crate::given::{at, deployment, run_id};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use std::time::Duration;
use tidemill_model::calendar::Calendar;
use tidemill_model::deployment::State;
use tidemill_model::tick::{Decision, Due, Missed, Outcome, Situation, Skipped, check, decide};

const SCHEDULES: [&str; 6] = ["* * * * *", "*/5 * * * *", "7,8,9 * * * *", "0 */2 * * *", "30 11 * * *", "* 11 * * 6"];

/// A calendar, and how many seconds of the clock a schedule's hour lasts.
fn calendars() -> impl Strategy<Value = Calendar> {
    let quick = [100, 250, 1_000, 7_000, 60_000]
        .map(|ms| Calendar::with_minute(Duration::from_millis(ms)).expect("a minute of 0.1 s to 60 s"));
    prop::sample::select(quick.to_vec())
}

/// Counts the outcomes of each due minute, minute by minute: the run's, and those of the stretches it is in.
fn outcomes(calendar: &Calendar, decision: &Decision, minute: Timestamp) -> usize {
    let schedule = &decision.deployment.schedule;
    let is_in = |first: Timestamp, last: Timestamp| {
        calendar.ticks_between(schedule, first - SignedDuration::from_nanos(1), last).any(|tick| tick == minute)
    };
    let stretches = decision.stretches.iter().filter(|stretch| is_in(stretch.first, stretch.last)).count();
    stretches + decision.run.iter().filter(|run| run.tick == Some(minute)).count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_due_minute_gets_exactly_one_outcome(
        calendar in calendars(),
        schedule in prop::sample::select(SCHEDULES.to_vec()),
        minutes_down in 1..600_u32,
        offset_ms in 0..60_000_i64,
        catch_up in prop_oneof![Just(0_u32), 1..7_200_u32, Just(86_400)],
        is_going in any::<bool>(),
        has_live_key in prop::bool::weighted(0.8),
    ) {
        let now = at(0) + SignedDuration::from_millis(offset_ms);
        let down = SignedDuration::try_from(calendar.minute() * minutes_down).unwrap();
        let before = deployment(schedule, now - down, catch_up);
        let Some(due) = Due::of(&calendar, &before, now) else { return Ok(()) };
        let going = run_id(1);
        let situation = Situation {
            calendar: &calendar,
            deployment: &before,
            due,
            has_live_key,
            going: is_going.then_some(&going),
            run: run_id(2),
            now,
        };

        let decision = decide(&situation);

        prop_assert_eq!(check(&situation, &decision), Ok(()));
        for minute in calendar.ticks_between(&before.schedule, before.ticked_until, now) {
            prop_assert_eq!(outcomes(&calendar, &decision, minute), 1, "the minute of {}", minute);
        }
        prop_assert!(Due::of(&calendar, &decision.deployment, now).is_none(), "a bell that rings again finds nothing");
        prop_assert_eq!(
            decision.run.is_some(),
            situation.has_minutes_in_time() && !is_going,
            "a minute in time runs unless a run is going"
        );
        prop_assert_eq!(matches!(decision.deployment.state, State::Errored { .. }), !has_live_key);
    }
}

#[test]
fn a_check_notices_what_must_not_be() {
    let calendar = Calendar::default();
    let before = deployment("* * * * *", at(-600), 300);
    let due = Due::of(&calendar, &before, at(0)).unwrap();
    let going = run_id(1);
    let alone = Situation {
        calendar: &calendar,
        deployment: &before,
        due,
        has_live_key: true,
        going: None,
        run: run_id(2),
        now: at(0),
    };
    let meets_another = Situation { going: Some(&going), ..alone.clone() };
    let right = decide(&alone);
    assert_eq!(right.stretches.len(), 2, "what is late, and what is caught up");
    let broken = |change: fn(&mut Decision)| {
        let mut decision = right.clone();
        change(&mut decision);
        check(&alone, &decision)
    };

    for (what, wrong) in [
        ("a gap", broken(|decision| drop(decision.stretches.remove(1)))),
        ("a minute twice", broken(|decision| decision.stretches.push(decision.stretches[1].clone()))),
        ("a minute forgotten", broken(|decision| decision.run = None)),
        ("late is on time", broken(|decision| decision.stretches[0].outcome = decision.stretches[1].outcome.clone())),
        ("on time is late", broken(|decision| decision.stretches[1].outcome = Outcome::Missed(Missed::TooLate))),
        ("skipped for no run", broken(|decision| decision.stretches[1].outcome = Outcome::Skipped(Skipped::Paused))),
        ("the head stays", broken(|decision| decision.deployment.ticked_until = at(-600))),
        ("the right to run stays", broken(|decision| decision.deployment.current = None)),
        ("the state moves", broken(|decision| decision.deployment.state = State::Removed { at: at(0) })),
        ("two runs", check(&meets_another, &right)),
        ("a dead key runs", check(&Situation { has_live_key: false, ..alone.clone() }, &right)),
    ] {
        assert!(wrong.is_err(), "{what}");
    }
    assert_eq!(check(&alone, &right), Ok(()));
}

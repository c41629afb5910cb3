//! What a look at the table finds.

use crate::given::{ALONE, ME, at, deployment, leases, processes, run, run_states};
use crate::rollout::rollout;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use tidemill_model::calendar::Calendar;
use tidemill_model::lease::Lease;
use tidemill_model::rollout::{Rollout, Rung, State as RolloutState};
use tidemill_model::run::{Run, State, Trigger};
use tidemill_model::sweep::{
    Finding, Look, Patience, Remedy, check_rollout, check_run, of_deployment, of_rollout, of_runs, oldest,
};

fn patiences() -> impl Strategy<Value = Patience> {
    any::<bool>().prop_map(|starts| if starts { Patience::None } else { Patience::Usual })
}

fn runs() -> impl Strategy<Value = Run> {
    let triggers = prop::sample::select(vec![Trigger::Webhook, Trigger::Schedule]);
    let times = (-300..0_i64, prop::option::of(-60..300_i64), prop::option::of(-200..0_i64));
    (1..9_u128, run_states(), leases(), triggers, times).prop_map(|(number, state, lease, trigger, times)| {
        let (queued, not_before, ended) = times;
        let lease = lease.filter(|_| state == State::Running);
        let ended_at = ended.filter(|_| state.is_final()).map(at);
        Run { lease, trigger, ended_at, not_before: not_before.map(at), ..run(number, state, at(queued)) }
    })
}

fn rollouts() -> impl Strategy<Value = Rollout> {
    let states = prop::sample::select(vec![
        RolloutState::Pending,
        RolloutState::Running,
        RolloutState::Succeeded,
        RolloutState::Failed,
        RolloutState::Cancelled,
    ]);
    let rungs = prop::option::of((0..3_u64, -200..0_i64).prop_map(|(epoch, second)| Rung { epoch, at: at(second) }));
    (states, leases(), rungs, 0..3_u64, -2_000..0_i64).prop_map(|(state, lease, rung, epoch, created)| Rollout {
        lease,
        rung,
        epoch,
        ..rollout(state, at(created))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn a_run_that_a_worker_holds_or_that_has_ended_is_left_alone(
        open in prop::collection::vec(runs(), 0..5), current in prop::option::of(runs()), patience in patiences(),
        process in processes(),
    ) {
        let look = Look { now: at(0), patience, process };

        for (run, finding) in of_runs(look, &open, current.as_ref()) {
            prop_assert_eq!(check_run(&look, run, Some(finding)), Ok(()));
            prop_assert_eq!(finding.remedy(), Remedy::Ring);
        }
        prop_assert!(open.iter().all(|run| at(0).duration_since(run.queued_at) <= oldest(&look, &open)));
    }

    #[test]
    fn a_plane_that_starts_finds_every_run_without_a_worker(
        open in prop::collection::vec(runs(), 0..5), current in prop::option::of(runs()), process in processes(),
    ) {
        let look = Look { now: at(0), patience: Patience::None, process };

        let found: Vec<&Run> = of_runs(look, &open, current.as_ref()).map(|(run, _)| run).collect();

        for run in &open {
            let is_without = match run.state {
                State::Queued => true,
                State::Running => !run.is_held(at(0), process),
                _ => false,
            };
            let is_found = found.iter().any(|found| std::ptr::eq(*found, run));
            prop_assert_eq!(is_found, is_without, "{:?}", run);
        }
    }

    #[test]
    fn a_run_that_is_found_is_found_until_its_record_moves(
        open in runs(), process in processes(), patience in patiences(), later in 0..10_000_i64,
    ) {
        let open = [open];
        let finds = |now: Timestamp| of_runs(Look { now, patience, process }, &open, None).next().is_some();

        prop_assert!(!finds(at(0)) || finds(at(later)));
    }

    #[test]
    fn a_rollout_is_given_up_only_after_it_was_rung_for(
        rollout in rollouts(), patience in patiences(), process in processes(),
    ) {
        let look = Look { now: at(0), patience, process };

        let finding = of_rollout(&look, &rollout);

        prop_assert_eq!(check_rollout(&look, &rollout, finding), Ok(()));
        if patience == Patience::None {
            prop_assert_ne!(finding.map(Finding::remedy), Some(Remedy::GiveUp), "a plane that starts rings first");
        }
    }

    #[test]
    fn sweeps_bring_every_rollout_without_a_worker_to_its_end(rollout in rollouts(), phase in 0..60_i64) {
        let mut rollout = rollout;
        if rollout.state.is_final() {
            return Ok(());
        }
        // One sweep a minute, and no worker ever comes.
        let ended = (0..30).map(|minute| at(phase + minute * 60)).find(|now| {
            let look = Look { now: *now, patience: Patience::Usual, process: ME };
            let remedy = of_rollout(&look, &rollout).map(Finding::remedy);
            if remedy == Some(Remedy::Ring) {
                rollout.rung = Some(Rung { epoch: rollout.epoch, at: *now });
            }
            remedy == Some(Remedy::GiveUp)
        });

        let since = rollout.waits_since().max(at(0));
        let is_in_time = |ended: Timestamp| (..=since + SignedDuration::from_secs(15 * 60 + 180)).contains(&ended);
        prop_assert!(ended.is_some_and(is_in_time), "{:?} of {:?}", ended, rollout);
        prop_assert!(ended >= Some(rollout.waits_since() + SignedDuration::from_mins(15)), "{:?}", rollout);
    }

    #[test]
    fn a_due_tick_is_found_once_its_bell_is_late(late in -300..300_i64, patience in patiences(), timers in any::<bool>()) {
        // The minute at second 0 is due.
        let before = deployment("* * * * *", at(-1), 3_600);
        let look = Look { now: at(late), patience, process: ALONE };

        let found: Vec<Finding> = of_deployment(&look, &Calendar::default(), &before, timers).collect();

        let is_due = late >= patience.for_ticks().as_secs();
        prop_assert_eq!(found.contains(&Finding::TickDue { first: at(0) }), is_due);
        prop_assert_eq!(found.contains(&Finding::TimersDiffer), !timers);
    }
}

#[test]
fn a_check_notices_what_must_not_be() {
    let look = Look { now: at(0), patience: Patience::Usual, process: ME };
    let lease = Some(Lease { holder: "other".into(), until: at(0) + SignedDuration::from_secs(1) });
    let held = Run { lease: lease.clone(), ..run(1, State::Running, at(-100)) };
    let ended = run(1, State::Failed, at(-100));
    let worked_on = Rollout { lease, ..rollout(RolloutState::Running, at(-100)) };
    let unrung = rollout(RolloutState::Pending, at(-9_000));
    let given_up = Some(Finding::NoWorkerCame { rung_at: at(-50) });

    assert!(check_run(&look, &held, Some(Finding::RunLost)).is_err());
    assert!(check_run(&look, &ended, Some(Finding::RunWaits { since: at(-100) })).is_err());
    assert!(check_rollout(&look, &worked_on, Some(Finding::RolloutLost)).is_err());
    assert!(check_rollout(&look, &unrung, given_up).is_err());
    assert_eq!(check_rollout(&look, &unrung, None), Ok(()));
}

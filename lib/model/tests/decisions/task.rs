//! Steps of a task towards its end.

use crate::given::{at, leases, processes, run, run_states};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;
use tidemill_model::run::{self, Run};
use tidemill_model::task::{self, End, State, Step, Task, next, next_with_run};

fn tasks() -> impl Strategy<Value = Task> {
    let states = prop::sample::select(vec![State::Open, State::Ending, State::Ended]);
    (states, any::<bool>(), -1..3_i64, prop::option::of(-60..60_i64), -2_000..0_i64, prop::sample::select(vec![0, 900]))
        .prop_map(|(state, waits, in_flight, busy, used, ttl)| {
            let record = json!({
                "token": "tk_1", "public_token": "pk_1", "owner": "ana", "project": "p", "source": "s",
                "provider": "webhook", "waits": waits, "run": crate::given::run_id(1),
                "key": tidemill_model::ids::KeyId::new(at(0), 1), "name": "", "pipeline_sha256": "", "plan_sha256": "",
                "threads": 4, "trace": "none", "ttl_seconds": ttl, "state": state.as_str(),
                "opened_at": at(-3_000), "used_at": at(used), "in_flight": in_flight,
                "busy_until": busy.map(at), "stopped_at": (state != State::Open).then(|| at(-100)),
                "end": (state != State::Open).then_some("terminated"),
            });
            serde_json::from_value(record).expect("a task")
        })
}

/// A task after a step, as its write leaves it.
fn after(task: &Task, step: Step) -> Task {
    match step {
        Step::GiveUpObjects => Task { in_flight: 0, epoch: task.epoch + 1, ..task.clone() },
        Step::End(end) => Task { state: State::Ended, end: Some(end), ended_at: Some(at(0)), ..task.clone() },
        _ => task.clone(),
    }
}

fn step_of(task: &Task, run: &Run, now: Timestamp, by: tidemill_model::lease::Process<'_>) -> Step {
    match next(task, now) {
        Step::LookAtRun => next_with_run(task, run, now, by),
        step => step,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn a_step_ends_nothing_that_is_worked_on(
        task in tasks(), state in run_states(), lease in leases(), by in processes(), cancel in any::<bool>(),
        queued in -120..0_i64,
    ) {
        let cancel_requested_at = cancel.then(|| at(-1));
        let lease = lease.filter(|_| state == run::State::Running);
        let run = Run { lease, cancel_requested_at, ..run(1, state, at(queued)) };
        let own = next(&task, at(0));

        prop_assert_eq!(task::check(&task, None, at(0), by, own), Ok(()));
        let step = step_of(&task, &run, at(0), by);
        prop_assert_eq!(task::check(&task, Some(&run), at(0), by, step), Ok(()));
        prop_assert!(step == Step::Rest || task.state.may_become(after(&task, step).state));
    }

    #[test]
    fn a_task_comes_to_rest_in_a_few_steps(task in tasks(), state in run_states()) {
        let run = Run { cancel_requested_at: Some(at(-1)), ..run(1, state, at(-10)) };
        let by = crate::given::ME;
        let mut task = task;
        let mut steps = 0;
        loop {
            let step = step_of(&task, &run, at(0), by);
            if matches!(step, Step::Rest | Step::RingForRun) {
                break;
            }
            task = after(&task, step);
            steps += 1;
            prop_assert!(steps <= 2, "{:?} after {} steps", step, steps);
        }
        let is_ending = task.state == State::Ending;
        let is_worked_on = task.in_flight > 0;
        prop_assert!(!task.waits || !is_ending || is_worked_on, "it ends once its last object has");
        prop_assert!(task.waits || !run.state.is_final() || task.state == State::Ended, "it ends with its run");
    }
}

#[test]
fn a_check_notices_what_must_not_be() {
    let record = |state: &str, in_flight: i64, waits: bool| -> Task {
        serde_json::from_value(json!({
            "token": "tk_1", "public_token": "pk_1", "owner": "ana", "project": "p", "source": "s",
            "provider": "webhook", "waits": waits, "run": crate::given::run_id(1),
            "key": tidemill_model::ids::KeyId::new(at(0), 1), "name": "", "pipeline_sha256": "", "plan_sha256": "",
            "threads": 4, "trace": "none", "ttl_seconds": 900, "state": state, "opened_at": at(-30),
            "used_at": at(-30), "in_flight": in_flight, "busy_until": at(20),
        }))
        .unwrap()
    };
    let going = run(1, run::State::Running, at(-30));
    let wrong = |task: Task, run: Option<&Run>, step| task::check(&task, run, at(0), crate::given::ME, step);

    assert!(wrong(record("ended", 0, true), None, Step::End(End::Idle)).is_err(), "a final record is left");
    assert!(wrong(record("open", 1, true), None, Step::End(End::Idle)).is_err(), "an object is cut off");
    assert!(wrong(record("open", 1, true), None, Step::GiveUpObjects).is_err(), "a worker is given up");
    assert!(wrong(record("open", 0, true), None, Step::End(End::Terminated)).is_err(), "an open task is terminated");
    assert!(wrong(record("open", 0, false), Some(&going), Step::End(End::Finished)).is_err(), "its run goes on");
    assert!(wrong(record("open", 0, false), Some(&going), Step::CancelRun).is_err(), "its run was not to end");
    assert_eq!(wrong(record("ending", 0, false), Some(&going), Step::CancelRun), Ok(()));
}

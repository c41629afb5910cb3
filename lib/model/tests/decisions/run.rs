//! One run of a deployment at a time, whatever its workers, timers and callers do.

use crate::given::{at, deployment, leases, processes, run, run_id, run_states};
use jiff::Timestamp;
use proptest::prelude::*;
use std::collections::BTreeMap;
use tidemill_model::calendar::Calendar;
use tidemill_model::deployment::Deployment;
use tidemill_model::ids::RunId;
use tidemill_model::lease::{Lease, Process};
use tidemill_model::run::{Claim, Run, State, Trigger};
use tidemill_model::tick::{Due, Situation, decide};

/// What happens to a deployment and its runs.
#[derive(Clone, Copy, Debug)]
enum Move {
    Tick,
    Hook,
    /// The worker of a process answers the bell of a run.
    Claim(usize, usize),
    End(usize),
    Cancel(usize),
    /// So many seconds pass.
    Wait(i64),
}

const WORKERS: [&str; 3] = ["a", "b", "c"];

fn moves() -> impl Strategy<Value = Move> {
    prop_oneof![
        2 => Just(Move::Tick),
        2 => Just(Move::Hook),
        5 => (0..8_usize, 0..WORKERS.len()).prop_map(|(run, worker)| Move::Claim(run, worker)),
        2 => (0..8_usize).prop_map(Move::End),
        1 => (0..8_usize).prop_map(Move::Cancel),
        3 => (1..90_i64).prop_map(Move::Wait),
    ]
}

/// The part of the table that a deployment's runs are in.
struct Table {
    head: Deployment,
    runs: BTreeMap<RunId, Run>,
    now: Timestamp,
    made: u128,
}

impl Table {
    fn going(&self) -> Option<RunId> {
        let current = self.runs.get(self.head.current.as_ref()?)?;
        (!current.state.is_final()).then(|| current.id.clone())
    }

    fn new_id(&mut self) -> RunId {
        self.made += 1;
        run_id(self.made)
    }

    fn pick(&self, number: usize) -> Option<Run> {
        self.runs.values().nth(number).cloned()
    }

    /// Writes a run over what was read, unless that is an illegal move.
    fn put(&mut self, after: Run) {
        if let Some(before) = self.runs.get(&after.id) {
            assert!(before.state.may_become(after.state), "{} becomes {}", before.state, after.state);
        }
        self.runs.insert(after.id.clone(), after);
    }

    fn make(&mut self, happens: Move) {
        match happens {
            Move::Tick => self.tick(),
            Move::Hook => {
                let id = self.new_id();
                let run = Run::of(&self.head, id, Trigger::Webhook, self.now);
                self.put(run);
            }
            Move::Claim(run, worker) => self.claim(run, WORKERS[worker]),
            Move::End(run) => {
                if let Some(run) = self.pick(run).filter(|run| run.state == State::Running) {
                    self.put(Run { state: State::Succeeded, lease: None, ended_at: Some(self.now), ..run });
                }
            }
            Move::Cancel(run) => {
                if let Some(run) = self.pick(run).filter(|run| !run.state.is_final()) {
                    self.put(run.with_cancel_request(self.now));
                }
            }
            Move::Wait(seconds) => self.now += jiff::SignedDuration::from_secs(seconds),
        }
    }

    fn tick(&mut self) {
        let calendar = Calendar::default();
        let id = self.new_id();
        let Some(due) = Due::of(&calendar, &self.head, self.now) else { return };
        let going = self.going();
        let situation = Situation {
            calendar: &calendar,
            deployment: &self.head,
            due,
            has_live_key: true,
            going: going.as_ref(),
            run: id,
            now: self.now,
        };
        let decision = decide(&situation);
        self.head = decision.deployment;
        if let Some(run) = decision.run {
            self.put(run);
        }
    }

    fn claim(&mut self, run: usize, worker: &str) {
        let process = Process { name: worker, is_alone: false };
        let Some(run) = self.pick(run).filter(|run| run.may_be_claimed(self.now, process)) else { return };
        let going = if self.head.is_turn_of(&run.id) { None } else { self.going() };
        let lease = Lease { holder: worker.to_owned(), until: self.now + jiff::SignedDuration::from_secs(30) };
        if let Claim::Granted { run, deployment } = run.claim(Some(&self.head), going.as_ref(), lease, self.now) {
            self.put(*run);
            self.head = deployment.map_or_else(|| self.head.clone(), |after| *after);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn no_two_runs_of_a_deployment_are_going(moves in prop::collection::vec(moves(), 1..80)) {
        let head = deployment("*/2 * * * *", at(0), 600);
        let mut table = Table { head, runs: BTreeMap::new(), now: at(1), made: 0 };

        for happens in moves {
            let before = table.head.revision;
            table.make(happens);

            let running: Vec<&Run> = table.runs.values().filter(|run| run.state == State::Running).collect();
            prop_assert!(running.len() <= 1, "after {:?}: {:?}", happens, running);
            for run in running {
                prop_assert!(table.head.is_turn_of(&run.id), "it runs without the right to: {:?}", run);
            }
            prop_assert!(table.head.revision >= before);
        }
    }

    #[test]
    fn a_claim_moves_the_epoch_and_counts_deaths(
        state in run_states(), lease in leases(), process in processes(), deaths in 0..30_u32, epoch in 0..9_u64,
    ) {
        let lease = lease.filter(|_| state == State::Running);
        let before = Run { lease, deaths, epoch, ..run(1, state, at(-100)) };
        if !before.may_be_claimed(at(0), process) {
            return Ok(());
        }
        let is_left = before.state == State::Running && !before.lease.as_ref().is_some_and(Lease::is_given_back);
        let lease = Lease { holder: "me".to_owned(), until: at(30) };

        let Claim::Granted { run: after, .. } = before.claim(None, None, lease.clone(), at(0)) else {
            return Err(TestCaseError::fail("there is nothing to wait behind"));
        };

        prop_assert!(before.state.may_become(after.state) && !before.state.is_final());
        prop_assert!(!before.is_held(at(0), process), "a worker holds it");
        prop_assert_eq!((after.epoch, after.lease), (epoch + 1, Some(lease)));
        prop_assert_eq!(after.deaths, if is_left { deaths + 1 } else { 0 }, "no worker died that handed over");
    }
}

//! What the workers of a rollout do, one after the other, until it has ended.

use crate::given::{ME, at};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeMap;
use tidemill_model::ids::{KeyId, LogicalId, ProjectId, RolloutId};
use tidemill_model::lease::DEATHS;
use tidemill_model::lease::Lease;
use tidemill_model::rollout::{
    Cause, End, Next, Outcome, Resource, Rollout, Start, State, Step, Work, check, check_progress, next, start,
};

pub fn rollout(state: State, created_at: Timestamp) -> Rollout {
    serde_json::from_value(json!({
        "id": RolloutId::new(created_at, 1), "owner": "ana", "group": "g", "purpose": "deploy",
        "request_sha256": "", "state": state.as_str(), "step": "wait", "resources": 3, "settled": 0, "progress": 0,
        "key": KeyId::new(at(0), 1), "created_at": created_at,
    }))
    .expect("a rollout")
}

fn resource(index: u32, outcome: Outcome) -> Resource {
    Resource {
        index,
        logical_id: LogicalId::parse(format!("r{index}")).expect("an id"),
        kind: "pipeline".into(),
        project: ProjectId::parse(format!("r{index}")).expect("an id"),
        action: None,
        outcome,
        version: None,
        message: None,
    }
}

/// What happens to a worker while it makes a move.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Well,
    /// It dies after so many of the batch's resources have their outcome.
    Dies(usize),
    /// One of the batch cannot be done.
    Fails(usize),
    /// A caller asks the rollout to end.
    Cancelled,
    /// Its process is about to stop.
    Stops,
}

fn fates() -> impl Strategy<Value = Fate> {
    prop_oneof![
        12 => Just(Fate::Well),
        4 => (0..9_usize).prop_map(Fate::Dies),
        1 => (0..8_usize).prop_map(Fate::Fails),
        1 => Just(Fate::Cancelled),
        2 => Just(Fate::Stops),
    ]
}

/// The part of the table that a rollout is in.
struct Table {
    rollout: Rollout,
    settled: BTreeMap<u32, Resource>,
    wanted: u32,
    total: u32,
    is_valid: bool,
    fates: Vec<Fate>,
}

impl Table {
    fn settle(&mut self, index: u32, outcome: Outcome) {
        assert!(self.settled.insert(index, resource(index, outcome)).is_none(), "resource {index} has two outcomes");
    }

    fn report(&mut self, step: Step, settled: u32) {
        let progress = self.rollout.progress_at(step, settled, self.total);
        assert_eq!(check_progress(&self.rollout, &progress), Ok(()));
        self.rollout.step = progress.step;
        self.rollout.settled = progress.settled;
        self.rollout.progress = progress.percent;
        self.rollout.attempts = progress.attempts;
        self.rollout.deaths = progress.deaths;
        self.rollout.begun = self.rollout.epoch;
    }

    fn end(&mut self, end: End) {
        if end != End::Succeeded {
            for index in 0..self.total {
                if !self.settled.contains_key(&index) {
                    self.settle(index, Outcome::NotReached);
                }
            }
        }
        assert!(self.rollout.state.may_become(end.state()));
        self.rollout.state = end.state();
    }

    /// A worker claims the rollout and works until it dies, stops or ends it.
    fn work(&mut self) {
        self.rollout.deaths = self.rollout.deaths_when_claimed();
        self.rollout.state = State::Running;
        self.rollout.epoch += 1;
        self.rollout.lease = Some(Lease { holder: "me".into(), until: at(30) });
        let in_row = (0..self.total).take_while(|index| self.settled.contains_key(index)).count() as u32;
        self.report(Step::Validate, in_row);
        match start(&self.rollout) {
            Start::Leave => panic!("a rollout that has ended is claimed"),
            Start::End(end) => return self.end(end),
            Start::Validate => {}
        }
        let (wanted, total, is_valid) = (self.wanted, self.total, self.is_valid);
        let mut work = Work { wanted, total, is_valid, settled: self.settled.clone() };
        loop {
            let fate = self.fates.pop().unwrap_or(Fate::Well);
            if fate == Fate::Cancelled {
                self.rollout.cancel_requested_at = Some(at(0));
            }
            let decided = next(&self.rollout, &work, fate == Fate::Stops);
            assert_eq!(check(&self.rollout, &work, &decided), Ok(()));
            match decided {
                Next::Leave => panic!("it has not ended"),
                Next::Begin if fate == Fate::Dies(0) => return,
                Next::Begin => self.report(Step::Apply, work.settled_in_row()),
                Next::HandOver => {
                    self.rollout.lease = Some(Lease::given_back(at(0)));
                    return;
                }
                Next::End(end) => return self.end(end),
                Next::Apply(batch) => {
                    for (nth, index) in batch.iter().enumerate() {
                        match fate {
                            Fate::Dies(after) if nth >= after => return,
                            Fate::Fails(one) if nth == one => self.settle(*index, Outcome::Failed),
                            _ => self.settle(*index, Outcome::Applied),
                        }
                    }
                    work.settled = self.settled.clone();
                    if work.failed().is_none() {
                        self.report(Step::Apply, work.settled_in_row());
                    }
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_rollout_ends_with_one_outcome_for_each_resource(
        wanted in 0..30_u32, gone in 0..12_u32, is_valid in prop::bool::weighted(0.9),
        is_cancelled in prop::bool::weighted(0.1), fates in prop::collection::vec(fates(), 0..25),
    ) {
        let cancel_requested_at = is_cancelled.then(|| at(-1));
        let before = Rollout { cancel_requested_at, ..rollout(State::Pending, at(-100)) };
        let total = wanted + gone;
        let all_well = fates.iter().all(|fate| matches!(fate, Fate::Well | Fate::Stops));
        let mut table = Table { rollout: before, settled: BTreeMap::new(), wanted, total, is_valid, fates };

        let mut workers = 0;
        while !table.rollout.state.is_final() {
            let progress = table.rollout.progress;
            table.work();
            prop_assert!(table.rollout.progress >= progress, "its progress goes back");
            workers += 1;
            prop_assert!(workers <= 100, "it never ends: {:?}", table.rollout);
        }

        prop_assert_eq!(table.settled.len(), total as usize, "each resource has its outcome");
        let is_applied = |index: u32| table.settled[&index].outcome == Outcome::Applied;
        if table.rollout.state == State::Succeeded {
            prop_assert!(is_valid && (0..total).all(is_applied));
        }
        if (wanted..total).any(is_applied) {
            prop_assert!((0..wanted).all(is_applied), "something goes before all that is to be there is there");
        }
        if all_well && is_valid && !is_cancelled {
            prop_assert_eq!(table.rollout.state, State::Succeeded);
        }
        if is_cancelled {
            prop_assert_eq!(table.rollout.state, State::Cancelled);
        }
    }
}

#[test]
fn a_rollout_whose_workers_die_in_a_row_is_given_up() {
    let fates = vec![Fate::Dies(0); 40];
    let before = rollout(State::Pending, at(-100));
    let mut table = Table { rollout: before, settled: BTreeMap::new(), wanted: 3, total: 3, is_valid: true, fates };

    let mut workers = 0;
    while !table.rollout.state.is_final() {
        table.work();
        workers += 1;
    }

    assert_eq!((table.rollout.state, workers), (State::Failed, DEATHS + 2));
    assert!(table.rollout.is_held(at(29), ME));
}

#[test]
fn a_death_counts_only_at_a_step_of_the_rollout_and_while_nothing_was_settled() {
    let lease = Some(Lease { holder: "me".into(), until: at(30) });
    let claimed = Rollout { lease, epoch: 3, begun: 2, deaths: 4, ..rollout(State::Running, at(-100)) };
    let at_its_step = Rollout { begun: 3, ..claimed.clone() };
    let handed_over = Rollout { lease: Some(Lease::given_back(at(0))), ..at_its_step.clone() };

    assert_eq!(claimed.deaths_when_claimed(), 4, "it died of something else");
    assert_eq!(at_its_step.deaths_when_claimed(), 5);
    assert_eq!(handed_over.deaths_when_claimed(), 4, "no worker died");
    assert_eq!(at_its_step.progress_at(Step::Apply, 0, 3).deaths, 4);
    assert_eq!(at_its_step.progress_at(Step::Apply, 1, 3).deaths, 0);
}

#[test]
fn a_check_notices_what_must_not_be() {
    let running = Rollout { step: Step::Apply, ..rollout(State::Running, at(-100)) };
    let ended = Rollout { step: Step::Done, ..rollout(State::Failed, at(-100)) };
    let settled = |outcomes: &[(u32, Outcome)]| Work {
        wanted: 2,
        total: 4,
        is_valid: true,
        settled: outcomes.iter().map(|(index, outcome)| (*index, resource(*index, *outcome))).collect(),
    };
    let first = settled(&[(0, Outcome::Applied)]);
    let wanted = settled(&[(0, Outcome::Applied), (1, Outcome::Applied)]);
    let failed = settled(&[(0, Outcome::Failed)]);

    for (what, wrong) in [
        ("a final record is left", check(&ended, &first, &Next::Apply(vec![1]))),
        ("a running one is let go", check(&running, &first, &Next::Leave)),
        ("a resource is done again", check(&running, &first, &Next::Apply(vec![0, 1]))),
        ("one goes before all is there", check(&running, &first, &Next::Apply(vec![2]))),
        ("out of order", check(&running, &wanted, &Next::Apply(vec![3, 2]))),
        ("nothing is done", check(&running, &wanted, &Next::Apply(Vec::new()))),
        ("it goes on after a failure", check(&running, &failed, &Next::Apply(vec![1]))),
        ("a success without all", check(&running, &wanted, &Next::End(End::Succeeded))),
        ("no caller asked", check(&running, &first, &Next::End(End::Cancelled))),
        ("it did not fail", check(&running, &first, &Next::End(End::Failed(Cause::Resource(0))))),
    ] {
        assert!(wrong.is_err(), "{what}");
    }
    assert_eq!(check(&running, &wanted, &Next::Apply(vec![2, 3])), Ok(()));
}

//! Seeded failures of a whole plane: see `tidemill_testing::simulation`. More seeds, and one step by step:
//! `cargo run -p tidemill-tests --bin simulate -- --help`.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use tidemill_testing::simulation::{Mistake, Outcome, simulate};

/// Seeds that every change is tested with; CI plays more.
const SEEDS: u64 = 300;

/// Seeds that are played with a mistake after the one that is known to catch it: a change of the plane lets the same seed lead elsewhere.
const OTHER_SEEDS: usize = 60;

/// Does something for each of some things, on all processors.
fn side_by_side<T: Sync, R: Send>(things: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let (next, all) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(|| {
                while let Some(thing) = things.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let one = work(thing);
                    all.lock().expect("no panic happens while it is held").push(one);
                }
            });
        }
    });
    all.into_inner().expect("no panic happened while it was held")
}

#[test]
fn whatever_fails_what_must_hold_holds() {
    let seeds: Vec<u64> = (0..SEEDS).collect();

    let outcomes = side_by_side(&seeds, |&seed| {
        let Outcome { violation, conditions, .. } = simulate(seed, None);
        (seed, violation, conditions)
    });

    let failed: Vec<String> = outcomes
        .iter()
        .filter_map(|(seed, violation, _)| Some(format!("--seed {seed}: {}", violation.as_ref()?)))
        .collect();
    assert!(failed.is_empty(), "cargo run -p tidemill-tests --bin simulate -- …\n{}", failed.join("\n"));
    let sent: BTreeSet<&str> = outcomes.iter().flat_map(|(_, _, conditions)| conditions).map(String::as_str).collect();
    let unknown: Vec<_> = sent.iter().filter(|sent| !Mistake::knows(sent)).collect();
    assert!(unknown.is_empty(), "no mistake leaves these conditions out: {unknown:#?}");
}

#[test]
fn each_mistake_is_caught_by_its_seed_or_one_like_it() {
    let missed = side_by_side(&Mistake::all(), |known| {
        let catches = |seed| simulate(seed, Some(known.mistake.clone())).violation.is_some();
        let is_caught = known.seeds(0).take(1 + OTHER_SEEDS).any(catches);
        (!is_caught).then(|| known.mistake.to_string())
    });

    let missed: Vec<_> = missed.into_iter().flatten().collect();
    assert!(missed.is_empty(), "simulate --mistakes TEXT may find other seeds for them: {missed:#?}");
}

#[test]
fn a_seed_leads_to_the_same_steps_again() {
    for seed in 0..8 {
        let (first, again) = (simulate(seed, None).trace, simulate(seed, None).trace);

        let differs = first.iter().zip(&again).position(|(first, again)| first != again);
        assert_eq!(differs.map(|at| (&first[at], &again[at])), None, "seed {seed}");
        assert_eq!(first.len(), again.len(), "seed {seed}");
    }
}

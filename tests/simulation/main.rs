//! Seeded failures of a whole plane: see `tidemill_testing::simulation`. More seeds, and one step by step:
//! `cargo run -p tidemill-tests --bin simulate -- --help`.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use tidemill_testing::simulation::{Mistake, Outcome, simulate};

/// Seeds that every change is tested with; CI plays more.
const SEEDS: u64 = 300;

/// Plays the first seeds on all processors, and gives what `read` takes from each.
fn played<T: Send>(seeds: u64, read: impl Fn(u64, Outcome) -> T + Sync) -> Vec<T> {
    let (next, all) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        return;
                    }
                    let one = read(seed, simulate(seed, None));
                    all.lock().expect("no panic happens while it is held").push(one);
                }
            });
        }
    });
    all.into_inner().expect("no panic happened while it was held")
}

#[test]
fn whatever_fails_what_must_hold_holds() {
    let outcomes = played(SEEDS, |seed, outcome| (seed, outcome.violation, outcome.conditions));

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
fn a_seed_leads_to_the_same_steps_again() {
    for seed in 0..8 {
        let (first, again) = (simulate(seed, None).trace, simulate(seed, None).trace);

        let differs = first.iter().zip(&again).position(|(first, again)| first != again);
        assert_eq!(differs.map(|at| (&first[at], &again[at])), None, "seed {seed}");
        assert_eq!(first.len(), again.len(), "seed {seed}");
    }
}

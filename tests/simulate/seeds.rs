//! Many seeds, on all processors, with their progress.

use crate::is_stopped;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tidemill_testing::simulation::simulate;
use tokio::time::Instant;

/// Failing seeds after which the rest is not played.
const MOST_FAILURES: usize = 10;
/// How often progress is shown.
const PROGRESS: Duration = Duration::from_secs(10);

/// Seeds on their way, shared by the threads.
struct Progress {
    next: AtomicU64,
    played: AtomicU64,
    failures: Mutex<Vec<(u64, String)>>,
    /// How many writes each condition alone refused, and how many seeds sent it.
    conditions: Mutex<BTreeMap<String, (usize, usize)>>,
    shown: Mutex<Instant>,
}

/// Plays seeds, prints how far it is and which failed, and says whether all hold.
#[expect(clippy::print_stdout, reason = "this is what the command is for")]
pub fn all(from: u64, count: u64, shows_conditions: bool) -> bool {
    let began = Instant::now();
    let (next, played) = (AtomicU64::new(from), AtomicU64::new(0));
    let progress =
        Progress { next, played, failures: Mutex::default(), conditions: Mutex::default(), shown: Mutex::new(began) };
    std::thread::scope(|scope| {
        for _ in 0..threads() {
            scope.spawn(|| play(&progress, from, count));
        }
    });
    let mut failures = progress.failures.into_inner().expect("no panic happens while it is held");
    failures.sort();
    let played = progress.played.into_inner();
    println!("{played} of {count} seeds from {from} on, in {:.0?}: {} failed", began.elapsed(), failures.len());
    for (seed, violation) in &failures {
        println!(
            "seed {seed}: {violation}\n  step by step: cargo run -p tidemill-tests --bin simulate -- --seed {seed}"
        );
    }
    if shows_conditions {
        let conditions = progress.conditions.into_inner().expect("no panic happens while it is held");
        println!("sent by seeds, writes refused by it alone:");
        conditions.iter().for_each(|(condition, (seeds, alone))| println!("{seeds:>8} {alone:>8}  {condition}"));
    }
    failures.is_empty() && (played == count || is_stopped())
}

/// As many as there are processors.
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

fn play(progress: &Progress, from: u64, count: u64) {
    loop {
        let seed = progress.next.fetch_add(1, Ordering::Relaxed);
        let has_failed = progress.failures().len() >= MOST_FAILURES;
        if seed >= from + count || is_stopped() || has_failed {
            return;
        }
        let outcome = simulate(seed, None);
        if let Some(violation) = outcome.violation {
            progress.failures().push((seed, violation));
        }
        progress.count(outcome.conditions, &outcome.decided);
        progress.played.fetch_add(1, Ordering::Relaxed);
        progress.show(count);
    }
}

impl Progress {
    fn failures(&self) -> std::sync::MutexGuard<'_, Vec<(u64, String)>> {
        self.failures.lock().expect("no panic happens while it is held")
    }

    fn count(&self, sent: BTreeSet<String>, decided: &BTreeMap<String, usize>) {
        let mut conditions = self.conditions.lock().expect("no panic happens while it is held");
        for condition in sent {
            let alone = decided.get(&condition).copied().unwrap_or_default();
            let (seeds, refused) = conditions.entry(condition).or_default();
            *seeds += 1;
            *refused += alone;
        }
    }

    #[expect(clippy::print_stdout, reason = "this is what the command is for")]
    fn show(&self, count: u64) {
        let mut shown = self.shown.lock().expect("no panic happens while it is held");
        if shown.elapsed() >= PROGRESS {
            *shown = Instant::now();
            println!("{} of {count} seeds, {} failed", self.played.load(Ordering::Relaxed), self.failures().len());
        }
    }
}

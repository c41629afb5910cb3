//! Mistakes that are made on purpose: each must be caught by one of the seeds.

use crate::is_stopped;
use crate::seeds::threads;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use tidemill_testing::simulation::{KnownMistake, Mistake, simulate};

/// Characters of a violation that are shown.
const SHOWN: usize = 200;

/// Plays seeds with each mistake until one catches it, the one that is known to first, and prints which. Says whether all were caught.
#[expect(clippy::print_stdout, reason = "this is what the command is for")]
pub fn all(text: &str, from: u64, count: u64) -> bool {
    let mistakes: Vec<_> =
        Mistake::all().into_iter().filter(|known| known.mistake.to_string().contains(text)).collect();
    // A rule that checks itself panics over a mistake: that is a catch, which is shown in its place.
    std::panic::set_hook(Box::new(|_| {}));
    let (next, missed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..threads() {
            scope.spawn(|| {
                while let Some(known) = mistakes.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mistake = &known.mistake;
                    match caught(known, from, count) {
                        Some((seed, violation)) => println!("{mistake}\n  seed {seed}: {violation:.SHOWN$}"),
                        None => missed.lock().expect("no panic happens while it is held").push(mistake),
                    }
                }
            });
        }
    });
    let missed = missed.into_inner().expect("no panic happens while it is held");
    println!("{} of {} mistakes were caught within {count} seeds", mistakes.len() - missed.len(), mistakes.len());
    missed.iter().for_each(|mistake| println!("MISSED: {mistake}"));
    missed.is_empty()
}

/// The first seed that catches a mistake, and how.
fn caught(known: &KnownMistake, from: u64, count: u64) -> Option<(u64, String)> {
    let seeds = known.seeds(from).take_while(|seed| *seed == known.seed || *seed < from + count);
    let mut seeds = seeds.take_while(|_| !is_stopped());
    seeds.find_map(|seed| Some((seed, simulate(seed, Some(known.mistake.clone())).violation?)))
}

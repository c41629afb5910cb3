//! Plays seeds of the simulation by hand: many of them, one step by step, or mistakes that must be caught.

mod hunt;
mod seeds;

use clap::Parser;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use tidemill_testing::simulation::simulate;

/// Play seeded failures of a whole plane, and check what must hold
#[derive(Parser)]
#[command(name = "simulate")]
struct Args {
    /// How many seeds to play
    #[arg(long, default_value_t = 2_000)]
    seeds: u64,
    /// The first of them
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Show how often each condition of the store alone refused a write
    #[arg(long)]
    conditions: bool,
    /// Play one seed, and print each step
    #[arg(long, conflicts_with_all = ["seeds", "from", "mistakes"])]
    seed: Option<u64>,
    /// Make each known mistake on purpose, or those with such a text, until a seed catches it
    #[arg(long, value_name = "TEXT", num_args = 0..=1, default_missing_value = "")]
    mistakes: Option<String>,
}

/// Set by Ctrl-C: seeds that have begun are played to their end.
static STOPPED: AtomicBool = AtomicBool::new(false);

fn is_stopped() -> bool {
    STOPPED.load(Ordering::Relaxed)
}

fn main() -> ExitCode {
    let args = Args::parse();
    std::thread::spawn(stop_at_ctrl_c);
    let holds = match (args.seed, args.mistakes) {
        (Some(seed), _) => replay(seed),
        (None, Some(text)) => hunt::all(&text, args.from, args.seeds),
        (None, None) => seeds::all(args.from, args.seeds, args.conditions),
    };
    if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn stop_at_ctrl_c() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime can be made");
    if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
        STOPPED.store(true, Ordering::Relaxed);
    }
}

/// Prints each step of a seed, and what did not hold.
#[expect(clippy::print_stdout, reason = "this is what the command is for")]
fn replay(seed: u64) -> bool {
    let outcome = simulate(seed, None);
    outcome.trace.iter().for_each(|step| println!("{step}"));
    match &outcome.violation {
        None => println!("seed {seed}: everything holds, after {} calls of the table", outcome.calls),
        Some(violation) => println!("seed {seed}: {violation}"),
    }
    outcome.violation.is_none()
}

//! Runs a plan in this process: without a plane, and with a memory that ends with it.

pub mod account;
pub mod files;
pub mod memory;
pub mod report;

use crate::process::Signals;
use account::Account;
use memory::Memory;
use std::sync::Arc;
use std::time::Duration;
use tidemill_engine::{Budget, Error, Execution, RunContext};
use tidemill_plan::Plan;

/// How a trial ended.
pub enum End {
    /// With the run's result, as JSON text.
    Succeeded(String),
    Failed(Error),
    TimedOut,
    Interrupted,
}

/// Runs a plan to its end, as long as it may take and no signal comes.
pub async fn run(plan: &Plan, context: RunContext, limit: Duration, signals: &mut Signals) -> (Account, End) {
    let mut account = Account::of(plan);
    let work = steps(plan, context, &mut account);
    let end = tokio::select! {
        ended = tokio::time::timeout(limit, work) => ended.unwrap_or(End::TimedOut),
        () = signals.first() => End::Interrupted,
    };
    (account, end)
}

async fn steps(plan: &Plan, context: RunContext, account: &mut Account) -> End {
    let memory = Arc::new(Memory::default());
    let context = RunContext { seen: memory.clone(), ..context };
    let mut execution = match Execution::start(plan, context, None).await {
        Ok(execution) => execution,
        Err(error) => return failed(account, error),
    };
    // A short step makes a long run's account current when it is stopped.
    let budget = Budget { time: Duration::from_millis(250), ..Budget::default() };
    loop {
        match execution.step(&budget).await {
            Ok(step) => {
                memory.remember(step.new_keys);
                account.add(step.counts, step.log, step.traced);
                if let Some(done) = step.done {
                    return End::Succeeded(done.result);
                }
            }
            Err(error) => return failed(account, error),
        }
    }
}

fn failed(account: &mut Account, mut error: Error) -> End {
    let counts = std::mem::take(&mut error.counts);
    account.add(*counts, std::mem::take(&mut error.log), *std::mem::take(&mut error.traced));
    End::Failed(error)
}

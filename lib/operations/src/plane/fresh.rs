//! What this process knows of runs without a look at the table, and may rely on: each decision that follows from it is a conditional write, or
//! is about what can not change any more.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use tidemill_model::deployment::Deployment;
use tidemill_model::ids::RunId;
use tidemill_model::run::Run;

/// Runs that are kept for their bells. Further ones are read when these ring.
const MADE: usize = 1_024;
/// Ended runs of one generation; two are kept.
const ENDED: usize = 4_096;

/// Runs that this process made a moment ago, each with its deployment as it was written with it.
#[derive(Default)]
pub struct Made(Mutex<HashMap<RunId, (Run, Deployment)>>);

impl Made {
    pub fn keep(&self, run: &Run, deployment: &Deployment) {
        let mut made = self.0.lock().expect("no code panics while holding it");
        if made.len() < MADE {
            made.insert(run.id.clone(), (run.clone(), deployment.clone()));
        }
    }

    /// A run as it was made, once.
    pub fn take(&self, run: &RunId) -> Option<(Run, Deployment)> {
        self.0.lock().expect("no code panics while holding it").remove(run)
    }
}

/// Runs of which this process knows that they have ended, which they stay.
#[derive(Default)]
pub struct Finals(Mutex<[HashSet<RunId>; 2]>);

impl Finals {
    pub fn add(&self, run: &RunId) {
        let mut generations = self.0.lock().expect("no code panics while holding it");
        if generations[0].len() >= ENDED {
            generations.swap(0, 1);
            generations[0].clear();
        }
        generations[0].insert(run.clone());
    }

    pub fn has(&self, run: &RunId) -> bool {
        self.0.lock().expect("no code panics while holding it").iter().any(|generation| generation.contains(run))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    #[test]
    fn the_runs_that_ended_last_are_known_and_no_others() {
        let finals = Finals::default();
        let run = |number| RunId::new(Timestamp::UNIX_EPOCH, number);

        for number in 0..20_000 {
            finals.add(&run(number));
        }

        assert!((20_000 - ENDED as u128..20_000).all(|number| finals.has(&run(number))));
        let known: usize = finals.0.lock().unwrap().iter().map(HashSet::len).sum();
        assert!(known <= 2 * ENDED && !finals.has(&run(0)), "{known}");
    }
}

//! What a bell for a deployment brings about: each due minute gets its outcome, and at most one run is made.

use crate::calendar::Calendar;
use crate::deployment::{Deployment, State};
use crate::ids::RunId;
use crate::run::{Run, Trigger};
use crate::tick::check::check;
use crate::tick::{Due, Missed, Outcome, Skipped, Stretch};
use crate::wrong::{self, Mistake};
use jiff::Timestamp;

/// Why a deployment whose key is dead stops.
const DEAD_KEY: &str = "the key that it was deployed with was revoked or has expired";

/// What is known when the due minutes of an active deployment get their outcomes.
#[derive(Clone, Debug)]
pub struct Situation<'a> {
    /// How long a minute is.
    pub calendar: &'a Calendar,
    /// The deployment, as it was read.
    pub deployment: &'a Deployment,
    /// Its due minutes without an outcome.
    pub due: Due,
    /// The key that it was deployed with still authenticates.
    pub has_live_key: bool,
    /// The run that holds the right to run and has not ended. It matters only if [`Situation::has_minutes_in_time`].
    pub going: Option<&'a RunId>,
    /// Names the run, if one is made.
    pub run: RunId,
    /// When the decision is made.
    pub now: Timestamp,
}

/// What is to be written, all of it together.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The deployment with the minutes ticked off.
    pub deployment: Deployment,
    /// One outcome for each due minute, in order; the minute of `run` has none but the run itself.
    pub stretches: Vec<Stretch>,
    /// The run that is made, if a minute makes one.
    pub run: Option<Run>,
}

/// Gives each due minute its outcome.
///
/// The last one within the catch-up window runs, and the earlier ones are caught up by its run: a deployment that was
/// down for ten minutes runs once, not ten times in a row.
pub fn decide(situation: &Situation<'_>) -> Decision {
    let decision = match situation.has_live_key {
        true => situation.outcomes(),
        false => situation.stop(),
    };
    debug_assert_eq!(check(situation, &decision), Ok(()));
    decision
}

impl Situation<'_> {
    /// Whether a due minute is within the catch-up window, so that it matters whether a run is going.
    pub fn has_minutes_in_time(&self) -> bool {
        self.has_live_key && self.window().is_none_or(|from| self.due.last >= from)
    }

    /// Where the catch-up window begins. A minute that became due within the last one is on time, whatever the window.
    pub(crate) fn window(&self) -> Option<Timestamp> {
        let window = self.calendar.scaled(self.deployment.settings.catch_up()).max(self.calendar.minute());
        self.now.checked_sub(window).ok()
    }

    fn outcomes(&self) -> Decision {
        let mut stretches = Vec::new();
        let first_in_time = self.split_late(&mut stretches);
        let run = match (first_in_time, self.going) {
            (None, _) => None,
            (Some(first), Some(going)) => {
                let overlap = Outcome::Skipped(Skipped::Overlap { run: going.clone() });
                stretches.push(self.stretch(first, self.due.last, overlap));
                None
            }
            (Some(first), None) => Some(self.run(first, &mut stretches)),
        };
        let mut deployment = self.deployment.clone();
        deployment.revision += 1;
        if !wrong::is(Mistake::TicksKept) {
            deployment.ticked_until = self.due.last;
        }
        if let Some(run) = &run {
            (deployment.current, deployment.carried) = (Some(run.id.clone()), None);
        }
        Decision { deployment, stretches, run }
    }

    /// Records what is later than the catch-up window, and gives the first minute that is within it.
    fn split_late(&self, stretches: &mut Vec<Stretch>) -> Option<Timestamp> {
        let Due { first, last } = self.due;
        let Some(from) = self.window().filter(|from| first < *from) else { return Some(first) };
        let late = |last| self.stretch(first, last, Outcome::Missed(Missed::TooLate));
        if last < from {
            stretches.push(late(last));
            return None;
        }
        let last_late = self.calendar.previous_tick(&self.deployment.schedule, from).unwrap_or(first);
        stretches.push(late(last_late));
        self.calendar.next_tick(&self.deployment.schedule, last_late)
    }

    /// The run of the last minute, which catches up the earlier ones from `first` on.
    fn run(&self, first: Timestamp, stretches: &mut Vec<Stretch>) -> Run {
        let previous = self.calendar.previous_tick(&self.deployment.schedule, self.due.last);
        let mut run = Run::of(self.deployment, self.run.clone(), Trigger::Schedule, self.now);
        run.tick = Some(self.due.last);
        run.previous_tick = previous;
        if let Some(last_caught_up) = previous.filter(|previous| *previous >= first) {
            let outcome = Outcome::Missed(Missed::CaughtUp { run: run.id.clone() });
            stretches.push(self.stretch(first, last_caught_up, outcome));
        }
        run
    }

    /// The deployment is errored from now on: its key was revoked or has expired.
    fn stop(&self) -> Decision {
        let mut deployment = self.deployment.clone();
        deployment.revision += 1;
        deployment.updated_at = self.now;
        deployment.state = State::Errored { reason: DEAD_KEY.to_owned(), at: self.now };
        deployment.ticked_until = self.due.last;
        let errored = self.stretch(self.due.first, self.due.last, Outcome::Skipped(Skipped::Errored));
        Decision { deployment, stretches: vec![errored], run: None }
    }

    fn stretch(&self, first: Timestamp, last: Timestamp, outcome: Outcome) -> Stretch {
        Stretch { first, last, schedule: self.deployment.schedule.clone(), outcome }
    }
}

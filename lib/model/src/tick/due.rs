//! Which minutes of a deployment are due.

use crate::calendar::Calendar;
use crate::deployment::{Deployment, State};
use crate::schedule::Schedule;
use jiff::{SignedDuration, Timestamp};

/// Due minutes that have no outcome yet, from the first to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The first one.
    pub first: Timestamp,
    /// The last one; the same as the first if there is one alone.
    pub last: Timestamp,
}

impl Due {
    /// The due minutes of a deployment's schedule after those that have their outcome, and up to `until`.
    pub fn of(calendar: &Calendar, deployment: &Deployment, until: Timestamp) -> Option<Due> {
        let first = calendar.next_tick(&deployment.schedule, deployment.ticked_until)?;
        if first > until {
            return None;
        }
        let after = until.checked_add(SignedDuration::from_millis(1)).ok()?;
        let last = calendar.previous_tick(&deployment.schedule, after)?;
        Some(Due { first, last: last.max(first) })
    }
}

/// How far two clocks of a plane may be apart: a timer's and that of the function it rings.
pub const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

impl Deployment {
    /// Until when its minutes are ticked off, if that is still to come: the clock was ahead, and no minute until then starts
    /// a run.
    pub fn is_ahead_of(&self, now: Timestamp) -> Option<Timestamp> {
        let is_ahead = !self.state.is_removed() && self.ticked_until > now + CLOCK_TOLERANCE;
        is_ahead.then_some(self.ticked_until)
    }

    /// The deployment once the minutes that are still to come are due again. Those that have run already stay so.
    pub fn brought_back(&self, now: Timestamp) -> Deployment {
        Deployment {
            ran_ahead: self.ran_ahead.max(Some(self.ticked_until)),
            ticked_until: now,
            updated_at: self.updated_at.min(now),
            revision: self.revision + 1,
            ..self.clone()
        }
    }

    /// The deployment once a minute is passed over that has run before its time.
    pub fn passed_over(&self, minute: Timestamp) -> Deployment {
        Deployment { ticked_until: minute, revision: self.revision + 1, ..self.clone() }
    }

    /// The schedule that its timer follows; `None` when it needs no timer.
    pub fn due_schedule(&self) -> Option<&Schedule> {
        let is_due = self.state == State::Active && !self.schedule.is_manual();
        is_due.then_some(&self.schedule)
    }
}

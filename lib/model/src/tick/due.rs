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

impl Deployment {
    /// The schedule that its timer follows; `None` when it needs no timer.
    pub fn due_schedule(&self) -> Option<&Schedule> {
        let is_due = self.state == State::Active && !self.schedule.is_manual();
        is_due.then_some(&self.schedule)
    }
}

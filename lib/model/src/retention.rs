//! How long records are kept. Everything that the table deletes by itself takes its instant from here.

use crate::run::Run;
use jiff::{SignedDuration, Timestamp};

/// How long ended runs, their logs, ticks and rollouts are kept.
pub const HISTORY: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long after it was written a body of a run is kept: longer than the run, which is written at about the same time.
pub const BODIES: SignedDuration = SignedDuration::from_hours(31 * 24);
/// How long a run counts that a deployment carries. It is less than its record is kept, so that none comes back whose record is gone.
pub const CARRIED: SignedDuration = SignedDuration::from_hours(29 * 24);

impl Run {
    /// When its record is deleted; `None` while it is open, however long that is: without its record it would be
    /// forgotten, and a second run could start beside it.
    pub fn expires(&self) -> Option<Timestamp> {
        self.ended_at.filter(|_| self.state.is_final()).map(|at| at + HISTORY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{OwnerId, ProjectId, RunId};
    use crate::run::State;

    #[test]
    fn a_run_expires_a_month_after_its_end_and_never_while_it_is_open() {
        let (made, ended) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 90));
        let owner = OwnerId::parse("ana").expect("it is a name");
        let project = ProjectId::parse("p").expect("it is a name");
        let open = Run::queued(RunId::new(made, 1), owner, project.into(), made);

        let over = Run { state: State::Cancelled, ended_at: Some(ended), ..open.clone() };

        assert_eq!(open.expires(), None);
        assert_eq!(over.expires(), Some(ended + HISTORY));
    }
}

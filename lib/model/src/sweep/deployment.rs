//! What a look finds of a deployment itself.

use crate::calendar::Calendar;
use crate::deployment::Deployment;
use crate::sweep::{Finding, Look};
use crate::tick::Due;
use crate::wrong::{self, Mistake};

/// What is to be done for a deployment. `has_its_timers` says whether they are as its record asks.
pub fn of_deployment(
    look: &Look<'_>,
    calendar: &Calendar,
    deployment: &Deployment,
    has_its_timers: bool,
) -> impl Iterator<Item = Finding> {
    let timers = (!has_its_timers && !wrong::is(Mistake::TimersOverlooked)).then_some(Finding::TimersDiffer);
    let until = look.now - look.patience.for_ticks();
    let due = deployment.due_schedule().and_then(|_| Due::of(calendar, deployment, until));
    timers.into_iter().chain(due.map(|due| Finding::TickDue { first: due.first }))
}

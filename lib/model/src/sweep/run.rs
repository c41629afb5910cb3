//! What a look finds of a deployment's open runs.

use crate::run::{Run, State, Trigger};
use crate::sweep::{Finding, Look, Patience, check_run};
use crate::wrong::{self, Mistake};
use jiff::SignedDuration;

/// The open runs that no worker holds or will. `current` is the run that last held the right to run, ended or not.
pub fn of_runs<'a>(
    look: Look<'a>,
    open: &'a [Run],
    current: Option<&'a Run>,
) -> impl Iterator<Item = (&'a Run, Finding)> {
    open.iter().filter_map(move |run| {
        let finding =
            of_run(&look, run).filter(|_| !is_in_line(&look, run, current) && !wrong::is(Mistake::RunsOverlooked));
        debug_assert_eq!(check_run(&look, run, finding), Ok(()));
        Some((run, finding?))
    })
}

/// How long the oldest open run has been there.
pub fn oldest<'a>(look: &Look<'_>, open: impl IntoIterator<Item = &'a Run>) -> SignedDuration {
    open.into_iter()
        .map(|run| look.now.duration_since(run.queued_at))
        .max()
        .unwrap_or_default()
        .max(SignedDuration::ZERO)
}

/// Whether no worker holds a run or will, whatever run is before it.
fn of_run(look: &Look<'_>, run: &Run) -> Option<Finding> {
    let since = run.not_before.unwrap_or(run.queued_at);
    let is_late = since + look.patience.for_runs() <= look.now || look.patience == Patience::None;
    match run.state {
        State::Running => (!run.is_held(look.now, look.process)).then_some(Finding::RunLost),
        State::Queued => is_late.then_some(Finding::RunWaits { since }),
        _ => None,
    }
}

/// How many times the patience a run may wait before its bell counts as lost although others of its deployment move on.
const LONG: i32 = 5;

/// Whether a run waits for its turn behind the current one, which is open or has just ended: its bell stands in the
/// same line.
///
/// One that a later webhook has overtaken has lost its bell. So has each where a plane starts, and one that waits for
/// long while a run goes that came after it: a schedule may end a run each minute, and never leave a gap.
fn is_in_line(look: &Look<'_>, run: &Run, current: Option<&Run>) -> bool {
    let Some(current) = current.filter(|current| current.id != run.id) else { return false };
    let patience = look.patience.for_runs();
    let moves_on = current.ended_at.is_none_or(|at| at + patience > look.now);
    let is_overtaken = current.trigger == Trigger::Webhook && run.queued_at + patience <= current.queued_at;
    let is_next = current.ended_at.is_none() && current.queued_at <= run.queued_at;
    let waits_for_long = run.not_before.unwrap_or(run.queued_at) + patience * LONG <= look.now;
    run.state == State::Queued
        && moves_on
        && !is_overtaken
        && (is_next || !waits_for_long)
        && look.patience != Patience::None
}

//! What must hold of each outcome of a due minute.

use super::{Look, hold, is_written_once};
use crate::simulation::mirror::{Change, parsed};
use jiff::Timestamp;
use tidemill_model::calendar::Calendar;
use tidemill_model::run::Run;
use tidemill_model::tick::Stretch;
use tidemill_store::keys;

pub fn check(look: &Look<'_>, change: &Change) -> Result<(), String> {
    is_written_once(change)?;
    let stretch: Stretch = parsed(change.after.as_ref().ok_or("I3: an outcome is gone")?);
    let ticks = Calendar::default();
    let mut next = Some(stretch.first);
    while let Some(tick) = next.filter(|tick| *tick <= stretch.last) {
        has_one_outcome(look, &change.place.0, tick)?;
        next = ticks.next_tick(&stretch.schedule, tick);
    }
    Ok(())
}

/// A due minute has one outcome: the run that it made, or a stretch.
pub fn has_one_outcome(look: &Look<'_>, partition: &str, tick: Timestamp) -> Result<(), String> {
    let at = tick.to_string();
    let runs = look.mirror.of::<Run>(partition, keys::RUNS, |item| item["tick"] == at);
    let stretches = look.mirror.of::<Stretch>(partition, keys::TICKS, |_| true);
    let outcomes = runs.len()
        + stretches.iter().filter(|it| it.first <= tick && tick <= it.last && it.schedule.matches(tick)).count();
    hold(outcomes == 1, || {
        format!("I3: the tick of {tick} has {outcomes} outcomes in {}", partition.replace('\u{1}', "/"))
    })
}

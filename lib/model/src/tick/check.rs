//! What must hold of every decision about due minutes.

use crate::tick::{Decision, Missed, Outcome, Situation, Skipped};

/// Checks a decision against what must hold of each.
///
/// # Errors
/// What does not hold.
pub fn check(situation: &Situation<'_>, decision: &Decision) -> Result<(), String> {
    every_minute_has_one_outcome(situation, decision)?;
    at_most_one_run_is_going(situation, decision)?;
    outcomes_say_what_happened(situation, decision)?;
    head_moves_on(situation, decision)
}

/// The stretches follow each other without a gap or an overlap, from the first due minute to the last, which a run may
/// take instead.
fn every_minute_has_one_outcome(situation: &Situation<'_>, decision: &Decision) -> Result<(), String> {
    let due = situation.due;
    let next = |after| situation.calendar.next_tick(&situation.deployment.schedule, after);
    let mut expected = Some(due.first);
    for stretch in &decision.stretches {
        if expected != Some(stretch.first) || stretch.last < stretch.first || stretch.last > due.last {
            return Err(format!("a stretch from {} to {} where {expected:?} is next", stretch.first, stretch.last));
        }
        expected = next(stretch.last);
    }
    match &decision.run {
        Some(run) if run.tick != Some(due.last) || expected != run.tick => {
            Err(format!("the run of {:?} where {expected:?} is next and {} is last", run.tick, due.last))
        }
        None if expected.is_some_and(|expected| expected <= due.last) => {
            Err(format!("{expected:?} has no outcome, and {} is last", due.last))
        }
        _ => Ok(()),
    }
}

fn at_most_one_run_is_going(situation: &Situation<'_>, decision: &Decision) -> Result<(), String> {
    let (before, after) = (&situation.deployment.current, &decision.deployment.current);
    match &decision.run {
        Some(_) if situation.going.is_some() => Err("a run is made while another one is going".into()),
        Some(_) if !situation.has_live_key => Err("a run is made under a dead key".into()),
        Some(run) if after.as_ref() != Some(&run.id) => Err("the run that is made does not hold the right to".into()),
        None if after != before => Err("the right to run moves without a run".into()),
        _ => Ok(()),
    }
}

fn outcomes_say_what_happened(situation: &Situation<'_>, decision: &Decision) -> Result<(), String> {
    let made = decision.run.as_ref().map(|run| &run.id);
    let is_late = |at| situation.window().is_some_and(|from| at < from);
    for stretch in &decision.stretches {
        let is_true = match &stretch.outcome {
            Outcome::Missed(Missed::TooLate) => is_late(stretch.last),
            Outcome::Missed(Missed::CaughtUp { run }) => made == Some(run) && !is_late(stretch.first),
            Outcome::Skipped(Skipped::Overlap { run }) => situation.going == Some(run) && !is_late(stretch.first),
            Outcome::Skipped(Skipped::Errored) => !situation.has_live_key,
            Outcome::Skipped(Skipped::Paused | Skipped::Changed) | Outcome::Ran { .. } => false,
        };
        if !is_true {
            return Err(format!("{:?} from {} to {} is not so", stretch.outcome, stretch.first, stretch.last));
        }
    }
    Ok(())
}

fn head_moves_on(situation: &Situation<'_>, decision: &Decision) -> Result<(), String> {
    let (before, after) = (situation.deployment, &decision.deployment);
    if after.revision != before.revision + 1 || after.ticked_until != situation.due.last {
        return Err("the head does not move past the minutes that have their outcome".into());
    }
    let stays_active = after.state == before.state;
    if stays_active != situation.has_live_key {
        return Err(format!(
            "a deployment whose key is live: {} is {:?}",
            situation.has_live_key,
            after.state.status()
        ));
    }
    Ok(())
}

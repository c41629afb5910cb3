//! What must hold at every instant.

use crate::walk::{Project, WORKERS, World};
use stateright::{Model, Property};
use std::collections::BTreeMap;
use tidemill_model::calendar::Calendar;
use tidemill_model::run::State;
use tidemill_model::tick::Due;

pub fn all() -> Vec<Property<Project>> {
    vec![
        // Also: one add of several wins, versions are never given twice, what is final or saved stays.
        Property::always("no write breaks a promise", |_, world: &World| world.table.broken.is_none()),
        Property::always("at most one run is going", |_, world| going(world) <= 1),
        Property::always("every minute has one outcome", |_, world| every_minute_has_one_outcome(world)),
        Property::always("versions have no gap", |_, world| versions_have_no_gap(world)),
        Property::always("the live version exists", |_, world: &World| {
            world.table.head.as_ref().is_none_or(|head| world.table.versions.contains(&head.version))
        }),
        Property::always("nothing that was accepted is left lying", is_settled_at_the_end),
        Property::sometimes("a run succeeds after a death", |_, world: &World| {
            world.crashes > 0 && world.table.rows.iter().any(|row| row.run.state == State::Succeeded)
        }),
        Property::sometimes("a lease is lost and another worker goes on", |_, world: &World| {
            world.table.rows.iter().any(|row| row.run.epoch > 1)
        }),
    ]
}

fn going(world: &World) -> usize {
    world.table.rows.iter().filter(|row| row.run.state == State::Running).count()
}

fn every_minute_has_one_outcome(world: &World) -> bool {
    let Some(head) = &world.table.head else { return true };
    let mut outcomes: BTreeMap<_, usize> = BTreeMap::new();
    let calendar = Calendar::default();
    for stretch in &world.table.stretches {
        let mut minute = Some(stretch.first);
        while let Some(at) = minute.filter(|at| *at <= stretch.last) {
            *outcomes.entry(at).or_default() += 1;
            minute = calendar.next_tick(&stretch.schedule, at);
        }
    }
    for tick in world.table.rows.iter().filter_map(|row| row.run.tick) {
        *outcomes.entry(tick).or_default() += 1;
    }
    let last = outcomes.keys().next_back();
    let is_counted = last.is_none_or(|last| *last <= head.ticked_until);
    let without_gap = match (outcomes.keys().next(), last) {
        (Some(first), Some(last)) => (last.duration_since(*first).as_secs() / 60 + 1) as usize == outcomes.len(),
        _ => true,
    };
    is_counted && without_gap && outcomes.values().all(|count| *count == 1)
}

fn versions_have_no_gap(world: &World) -> bool {
    let last = world.table.head.as_ref().map_or(0, |head| head.last_version);
    let mut given = world.table.versions.clone();
    given.sort_unstable();
    given == (1..=last).collect::<Vec<_>>()
}

/// Where nothing can happen any more, every run has ended, every due minute has its outcome, and no worker is left with something.
fn is_settled_at_the_end(project: &Project, world: &World) -> bool {
    let mut events = Vec::new();
    project.actions(world, &mut events);
    if !events.is_empty() {
        return true;
    }
    let head = world.table.head.as_ref();
    let is_due = head.is_some_and(|head| {
        head.due_schedule().is_some() && Due::of(&Calendar::default(), head, world.now()).is_some()
    });
    let holds = head.is_some_and(|head| head.state.holds_runs());
    let may_rest = |state: State| state.is_final() || (holds && state == State::Queued);
    let is_at_work = world.processes[..WORKERS].iter().any(|process| process.job.is_some());
    !is_due && !is_at_work && world.table.rows.iter().all(|row| may_rest(row.run.state))
}

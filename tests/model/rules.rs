//! What must hold in every state. The numbers are those of the invariants that the tests of this repository are named by.

use crate::table::{Stand, Status};
use crate::worker::{LEASE, can_go_on};
use crate::{Rules, State};

type Holds = fn(&Rules, &State) -> bool;

pub const PROPERTIES: [(&str, Holds); 9] = [
    ("I1: a deployment is live at most once", one_life),
    ("I2: one run is going, in the hands of one worker", one_run),
    ("I3: each minute that was taken has one outcome", one_outcome),
    ("I4: what is open can be gone on with", nothing_hangs),
    ("I5: versions have no gap and no double", versions),
    ("I6: a pointer moves by one write, to a version that is there", pointer),
    ("I7: after a change no tick is taken under the old definition", of_now),
    ("I10: leases end", leases_end),
    ("I11: what has ended stays so", final_stays),
];

fn one_life(_: &Rules, state: &State) -> bool {
    // Each life takes a version of its own, and the head knows the last.
    state.table.head.status == Status::Removed || state.table.versions.contains(&state.table.head.version)
}

fn one_run(_: &Rules, state: &State) -> bool {
    let going = state.table.all().filter(|(_, run)| run.stand == Stand::Running).count();
    going <= 1 && !state.wrong.is_some_and(|wrong| wrong.starts_with("I2"))
}

fn one_outcome(_: &Rules, state: &State) -> bool {
    let table = &state.table;
    (1..=table.head.ticked_until).all(|minute| match table.gone.contains(&minute) {
        true => true,
        false => table.outcomes(minute) == 1,
    })
}

fn nothing_hangs(_: &Rules, state: &State) -> bool {
    let is_lost = state.table.all().count() < state.table.runs.len();
    !is_lost && state.table.all().filter(|(_, run)| run.is_open()).all(|(run, row)| can_go_on(state, run, row))
}

fn versions(_: &Rules, state: &State) -> bool {
    let versions = &state.table.versions;
    versions.iter().enumerate().all(|(place, version)| usize::from(*version) == place + 1)
        && versions.len() == usize::from(state.table.head.last_version)
}

fn pointer(_: &Rules, state: &State) -> bool {
    let table = &state.table;
    table.promotions == table.live_revision && (table.live == 0 || table.versions.contains(&table.live))
}

fn of_now(_: &Rules, state: &State) -> bool {
    state.wrong != Some("I7")
}

fn leases_end(_: &Rules, state: &State) -> bool {
    state.table.all().filter_map(|(_, run)| run.lease).all(|(_, until)| until <= state.now + LEASE)
}

fn final_stays(_: &Rules, state: &State) -> bool {
    state.wrong != Some("I11")
}

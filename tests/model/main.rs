//! A model of one project: every order in which two workers, callers, the clock, the sweep and one death can meet is walked through.
//!
//! What is decided is decided by the functions of `tidemill_model` themselves; what is modelled is the table with its conditions
//! ([`table`]), and who reads and writes it when ([`process`], [`walk`]). `properties` says what must hold, and each of the wrong
//! variants leaves out one condition and must be caught.

#![expect(clippy::print_stdout, reason = "how many states were seen is worth knowing")]

mod process;
mod properties;
mod table;
mod walk;

use process::Operation;
use stateright::{Checker, DiscoveryClassification, HasDiscoveries, Model};
use std::collections::BTreeSet;
use walk::{Project, Wrong};

/// Callers who act at the same time, minutes that become due, and deaths.
const SCENES: [(&str, &[Operation], i64, u8); 7] = [
    ("two callers add it at once", &[Operation::Add, Operation::Add], 1, 1),
    ("it is paused and resumed as a minute is due", &[Operation::Pause, Operation::Resume], 1, 1),
    ("it is paused and resumed while minutes are due", &[Operation::Pause, Operation::Resume], 2, 0),
    ("it is updated and rolled back", &[Operation::Update, Operation::Rollback], 1, 1),
    ("two updates meet", &[Operation::Update, Operation::Update], 1, 0),
    ("it is removed while a webhook comes", &[Operation::Remove, Operation::Hook], 1, 1),
    ("two webhooks want to run", &[Operation::Hook, Operation::Hook], 0, 1),
];

fn project(scene: usize, wrong: Option<Wrong>) -> Project {
    let (_, operations, minutes, crashes) = SCENES[scene];
    Project { operations, minutes, crashes, wrong }
}

fn breaks(checked: &impl Checker<Project>) -> Option<&'static str> {
    let is_broken =
        |name: &&str| matches!(checked.discovery_classification(name), DiscoveryClassification::Counterexample);
    checked.discoveries().into_keys().find(is_broken)
}

#[test]
fn every_order_of_events_keeps_every_invariant() {
    let mut seen = BTreeSet::new();
    for (number, (name, ..)) in SCENES.iter().enumerate() {
        let checked = project(number, None).checker().threads(2).spawn_bfs().join();

        println!("{name}: {} states", checked.unique_state_count());
        if let Some(property) = breaks(&checked) {
            let path = checked.discovery(property).unwrap();
            panic!("{name}: \"{property}\" does not hold after\n{}", walk::told(&path));
        }
        assert!(checked.is_done(), "{name}");
        seen.extend(checked.discoveries().into_keys());
    }
    assert_eq!(seen.len(), 2, "the scenes reach what they are for: {seen:?}");
}

#[test]
fn each_condition_that_is_left_out_is_caught() {
    for wrong in Wrong::ALL {
        let caught = (0..SCENES.len()).find_map(|scene| {
            let checker = project(scene, Some(wrong)).checker().threads(2).finish_when(HasDiscoveries::AnyFailures);
            Some((SCENES[scene].0, breaks(&checker.spawn_bfs().join())?))
        });

        let (scene, property) = caught.unwrap_or_else(|| panic!("{wrong:?} is not noticed"));
        println!("{wrong:?}: \"{property}\" is broken where {scene}");
    }
}

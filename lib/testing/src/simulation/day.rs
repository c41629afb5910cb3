//! What the users of a seed do: on some days a bit of everything, on others much of one thing and often at the same moment, so that
//! what is rare elsewhere happens.

use super::action::{Action, ENVIRONMENTS};
use super::chance::Chance;
use super::pipelines::{self, PROJECTS, Size};
use super::users::Known;
use jiff::Timestamp;
use std::time::Duration;

/// On the days of one thing, users often wait for the next moment that this divides, in milliseconds.
const MEETING: i64 = 4_000;

/// How long the table is slow, and then is not, in seconds.
const SLOW_TIME: i64 = 45;

/// What a day is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Day {
    Everything,
    /// A project is due each minute, and writes are often slow.
    Ticks,
    /// One project is deployed, changed and removed.
    Projects,
    /// Long runs are started and cancelled, by hand and by hooks, and writes are often slow.
    Runs,
    Environments,
    /// Groups are rolled out and removed, and writes are often slow.
    Rollouts,
    /// Few tasks may still be opened, some of them under the same token, and writes are often slow.
    Tasks,
    /// Keys come and go, and most requests are sent twice.
    Keys,
}

impl Day {
    /// The day of a seed: three of ten are about everything.
    pub fn of(seed: u64) -> Day {
        match seed % 10 {
            0..=2 => Day::Everything,
            3 => Day::Ticks,
            4 => Day::Projects,
            5 => Day::Runs,
            6 => Day::Environments,
            7 => Day::Rollouts,
            8 => Day::Tasks,
            _ => Day::Keys,
        }
    }

    /// Users who act at the same time.
    pub fn users(self) -> usize {
        if matches!(self, Day::Everything | Day::Ticks) { 2 } else { 3 }
    }

    /// What each user does after what all begin with.
    pub fn actions(self) -> usize {
        match self {
            Day::Everything => 4,
            Day::Ticks | Day::Runs | Day::Rollouts => 5,
            _ => 8,
        }
    }

    /// Reads in a thousand that take seconds: what was read is stale by then.
    pub fn slow_reads(self) -> u64 {
        match self {
            Day::Runs => 40,
            Day::Rollouts => 100,
            _ => 8,
        }
    }

    /// Writes in a thousand that take seconds, most of them about as long as a lease. On some days the table has minutes in which most do.
    pub fn slow_writes(self, now: Timestamp) -> u64 {
        let is_slow = now.as_second() / SLOW_TIME % 2 == 0;
        match self {
            Day::Runs => 60,
            Day::Ticks => 200,
            Day::Rollouts | Day::Tasks if is_slow => 500,
            Day::Rollouts | Day::Tasks => 40,
            _ => 8,
        }
    }

    /// Bells in a thousand that ring twice.
    pub fn doubled_bells(self) -> u64 {
        match self {
            Day::Rollouts => 500,
            Day::Runs => 300,
            _ => 80,
        }
    }

    /// The shortest and the longest pause between two sweeps, in milliseconds. What a worker left is rung for by little else.
    pub fn sweeps(self) -> (u64, u64) {
        match self {
            Day::Ticks | Day::Rollouts => (12_000, 30_000),
            _ => (40_000, 75_000),
        }
    }

    /// Requests in a thousand that are sent twice, of those that have an idempotency key.
    pub fn twins(self) -> u64 {
        match self {
            Day::Keys => 500,
            Day::Runs => 300,
            _ => 100,
        }
    }

    /// How long a user waits for the next action.
    pub fn pause(self, chance: &Chance, now: Timestamp) -> Duration {
        if self == Day::Ticks {
            return chance.millis(20_000, 100_000);
        }
        if self == Day::Everything || chance.is(300) {
            return chance.millis(10, 15_000);
        }
        let left = MEETING - now.as_millisecond().rem_euclid(MEETING);
        Duration::from_millis(left as u64) + chance.millis(1, 40)
    }

    /// What every user begins with, at the same time, so that each thing is made by one of them.
    pub fn beginning(self, chance: &Chance) -> Vec<Action> {
        match self {
            Day::Everything => {
                let adds = PROJECTS.map(|project| Action::add(chance, project));
                let others = [
                    Action::deploy(chance, ENVIRONMENTS[0]),
                    Action::open_task(chance),
                    Action::roll_out(chance, Size::Small),
                ];
                adds.into_iter().chain(others).collect()
            }
            Day::Ticks => vec![Action::add_short(PROJECTS[0])],
            Day::Projects | Day::Keys => vec![Action::add(chance, PROJECTS[0])],
            Day::Runs => vec![Action::add_long(chance, PROJECTS[0])],
            Day::Environments => vec![Action::add(chance, PROJECTS[0]), Action::deploy(chance, ENVIRONMENTS[0])],
            Day::Rollouts => vec![Action::roll_out(chance, Size::Large)],
            Day::Tasks => vec![Action::open_task(chance)],
        }
    }

    /// Something that a user may ask for, on what users know.
    pub fn action(self, chance: &Chance, known: &Known) -> Action {
        match self {
            Day::Everything => everything(chance, known),
            Day::Ticks => of_ticks(chance, known),
            Day::Projects => of_project(chance, known, PROJECTS[0]),
            Day::Runs => of_runs(chance, known),
            Day::Environments => match chance.below(8) {
                0 => Action::update(PROJECTS[0], pipelines::any(chance, PROJECTS[0])),
                _ => Action::environment(chance),
            },
            Day::Rollouts => match chance.below(8) {
                0..=3 => Action::roll_out(chance, Size::Large),
                4 | 5 => Action::cancel_rollout(chance, known),
                6 => Action::remove_group(chance),
                _ => Action::add_group(chance),
            },
            Day::Tasks => of_tasks(chance, known),
            Day::Keys => match chance.below(8) {
                0..=2 => Action::create_key(),
                3..=5 => Action::revoke_key(chance, known),
                6 => Action::update(PROJECTS[0], pipelines::any(chance, PROJECTS[0])).by(chance, known),
                _ => Action::run(PROJECTS[0]).by(chance, known),
            },
        }
    }
}

fn everything(chance: &Chance, known: &Known) -> Action {
    let project = *chance.one_of(&PROJECTS);
    match chance.below(24) {
        0..=10 => of_project(chance, known, project),
        11..=13 => Action::hook(chance, known),
        14 => Action::cancel(chance, known),
        15 | 16 => Action::environment(chance),
        17 | 18 => Action::roll_out(chance, Size::Small),
        19 => Action::cancel_rollout(chance, known),
        20 => Action::open_task(chance),
        21 | 22 => Action::send(chance, known),
        _ => Action::end_task(chance, known),
    }
}

fn of_project(chance: &Chance, known: &Known, project: &str) -> Action {
    match chance.below(12) {
        0 | 1 => Action::add(chance, project),
        2 | 3 => Action::update(project, pipelines::any(chance, project)),
        4 => Action::reschedule(chance, project),
        5 => Action::pause(project),
        6 | 7 => Action::resume(project),
        8 | 9 => Action::remove(project),
        10 => Action::run(project),
        _ => Action::hook(chance, known),
    }
}

fn of_ticks(chance: &Chance, known: &Known) -> Action {
    match chance.below(8) {
        0 => Action::update(PROJECTS[0], pipelines::any(chance, PROJECTS[0])),
        1..=3 => Action::run(PROJECTS[0]),
        4..=6 => Action::hook(chance, known),
        _ => Action::cancel(chance, known),
    }
}

fn of_runs(chance: &Chance, known: &Known) -> Action {
    match chance.below(10) {
        0 | 1 => Action::run(PROJECTS[0]),
        2..=4 => Action::hook(chance, known),
        5 => Action::pause(PROJECTS[0]),
        6 => Action::resume(PROJECTS[0]),
        _ => Action::cancel(chance, known),
    }
}

fn of_tasks(chance: &Chance, known: &Known) -> Action {
    match chance.below(14) {
        0..=3 => Action::open_task(chance),
        4..=6 => Action::send(chance, known),
        7 | 8 => Action::restart_task(chance, known),
        9 | 10 => Action::look_at_task(chance, known),
        _ => Action::end_task(chance, known),
    }
}

//! Owners share the processors: the more processes of an owner compute, the lower the priority of each, so that together they weigh as
//! much as one process of another owner. A process that waits more than it computes keeps the priority that it started with.

use rustix::process::{Pid, setpriority_pgrp};
use std::time::Duration;

/// The priority that an engine process starts with: that of the plane.
pub const FIRST: i32 = 0;
/// The priority of the only process that computes for its owner: the front door goes before it.
const ALONE: i32 = 2;
/// The lowest priority that there is.
const LAST: i32 = 19;
/// Levels by which half of the weight is gone: each is worth a quarter more than the next.
/// <https://man7.org/linux/man-pages/man7/sched.7.html>
const HALF: i32 = 3;
/// The unit in which Linux shows the time of a processor. <https://man7.org/linux/man-pages/man7/time.7.html>
const TICK: Duration = Duration::from_millis(10);

/// The priority of each process of an owner that has so many.
pub fn of(processes: usize) -> i32 {
    let halvings = i32::try_from(processes.max(1).ilog2()).unwrap_or(LAST);
    (ALONE + HALF * halvings).min(LAST)
}

/// Sets the priority of a process, with all of its threads. It can only be lowered.
pub fn set(process: u32, priority: i32) {
    let Some(group) = i32::try_from(process).ok().and_then(Pid::from_raw) else { return };
    // It may have ended meanwhile.
    let _ = setpriority_pgrp(Some(group), priority);
}

/// How long a process has kept processors busy, where the system says so.
/// <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>
pub fn processor_time(process: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name of the program comes before them, and may hold anything.
    let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields).split(' ');
    let ticks: u32 = fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u32>().ok()).sum();
    TICK * ticks
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a process of this priority weighs beside others that compute.
    fn weight(priority: i32) -> f64 {
        1024.0 / 1.25_f64.powi(priority)
    }

    #[test]
    fn an_owner_with_much_in_hand_weighs_as_much_as_one_with_little() {
        let one = weight(of(1));
        for processes in [2, 3, 4, 7, 8, 16, 31] {
            let all = processes as f64 * weight(of(processes));
            assert!((0.9..2.2).contains(&(all / one)), "{processes} weigh {all}, one weighs {one}");
        }
        assert_eq!(of(10_000), LAST);
    }
}

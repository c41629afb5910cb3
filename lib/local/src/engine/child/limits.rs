//! What an engine process may use. On Linux its address space is bounded, so that an allocation beyond it fails and ends the process;
//! elsewhere only the time of a processor is.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// Bytes of address space for the stack of the thread that computes, of which only what is used takes memory. A program may build a
/// value that nests as often as its fuel lasts, and dropping one goes down a level of the stack for each.
pub const STACK: usize = 1 << 30;
/// Bytes of memory for what a run holds. A value is of 16 MiB at most, a result and an object of 6 MB each, and lists of a million
/// items take some hundred MiB.
pub const MEMORY: usize = 1 << 30;
/// How long the processor may be busy with one value.
pub const PROCESSOR_TIME: Duration = Duration::from_secs(60);
/// The status of a process that was busy for longer.
pub const PROCESSOR_EXCEEDED: u8 = 90;

/// Bytes of address space that threads and the allocator reserve beside that.
const RESERVED: usize = 256 << 20;
/// Bytes by which a process may have grown that is used again.
const GROWTH: usize = 128 << 20;
/// A process of the highest score is the first that the kernel ends when the machine is out of memory.
/// <https://man7.org/linux/man-pages/man5/proc_pid_oom_score_adj.5.html>
const FIRST_TO_END: &str = "1000";

/// Sets the limits of this process, as far as the system has them.
pub fn set() {
    // No copy of its memory, which holds secrets, is written when it dies.
    lower(Resource::Core, 0);
    if let Some(size) = address_space() {
        lower(Resource::As, size + STACK + MEMORY + RESERVED);
    }
    if cfg!(target_os = "linux") {
        // Where it cannot be written, the kernel goes by size.
        let _ = std::fs::write("/proc/self/oom_score_adj", FIRST_TO_END);
    }
}

/// Lowers a limit. One that is lower already stays.
fn lower(resource: Resource, limit: usize) {
    let limit = limit as u64;
    let Rlimit { current, maximum } = getrlimit(resource);
    let limit = limit.min(current.unwrap_or(u64::MAX)).min(maximum.unwrap_or(u64::MAX));
    let _ = setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) });
}

/// Bytes of this process's address space; `None` where the system does not say.
/// <https://man7.org/linux/man-pages/man5/proc_pid_status.5.html>
fn address_space() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:"))?;
    Some(size.trim().strip_suffix(" kB")?.parse::<usize>().ok()? << 10)
}

/// How large this process is when it has nothing in hand.
#[derive(Clone, Copy)]
pub struct Size(Option<usize>);

impl Size {
    pub fn now() -> Size {
        Size(address_space())
    }

    /// Whether it has grown since so much that the next run would have less than its due.
    pub fn is_outgrown(self) -> bool {
        match (self.0, address_space()) {
            (Some(first), Some(now)) => now > first + GROWTH,
            _ => false,
        }
    }
}

/// Watches how long the processor is busy with one value.
pub struct Watch {
    /// Values that had been begun when the processor's time was looked at.
    begun: u64,
    since: Duration,
}

impl Watch {
    /// A watch of what begins now.
    pub fn new() -> Watch {
        Watch { begun: 0, since: processor_time() }
    }

    /// Whether the processor has been busy for too long since a value was begun last.
    pub fn is_exceeded(&mut self, begun: u64) -> bool {
        let busy = processor_time();
        if begun != self.begun {
            *self = Watch { begun, since: busy };
        }
        busy.saturating_sub(self.since) > PROCESSOR_TIME
    }
}

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}

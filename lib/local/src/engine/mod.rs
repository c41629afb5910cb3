//! Engine processes: pipelines are executed by processes of the same binary.
//!
//! So what one takes too much of, it takes from itself alone. The plane claims, saves and ends; a process gets plan, checkpoint and
//! input over a pipe, and gives steps. It never sees the table, the cipher or a key.
//!
//! [`Processes`] is the plane's side: `pool` has the processes, `running` follows one execution, `death` says what one died of.
//! `child` is the side of the process itself, and `protocol` what both say to each other.

mod child;
mod death;
mod pool;
mod process;
mod program;
mod protocol;
mod running;
mod shares;

pub use pool::Processes;
pub use program::Program;

//! The program that engine processes are: this binary.

use super::child;
use std::ffi::OsStr;

/// The argument by which this binary knows that it is an engine process. It is no command: neither help nor completions have it.
pub const ARGUMENT: &str = "engine-process";

/// This binary, which serves as an engine process if it is asked to.
#[derive(Clone, Copy, Debug)]
pub struct Program(());

impl Program {
    /// Serves until the plane hangs up and ends the process, if that was started as an engine process. To be called before anything
    /// else, outside of any runtime.
    pub fn this() -> Program {
        if std::env::args_os().nth(1).as_deref() == Some(OsStr::new(ARGUMENT)) {
            child::serve();
        }
        Program(())
    }
}

//! Answers a shell that completes a command line: with commands and options out of the grammar, and with the [`names`] that
//! the plane knows. What registers it is printed by `tidemill completions`.

pub mod names;
mod plane;

use clap::Command;
use clap_complete::CompleteEnv;
use clap_complete::env::Shells;
use std::path::Path;
use std::sync::OnceLock;

/// The variable by which a shell asks.
const VARIABLE: &str = "COMPLETE";

/// Whether the shell that asks is bash.
static IS_BASH: OnceLock<bool> = OnceLock::new();

/// Says what completes the line, and ends the process, if a shell asks for it by `COMPLETE=SHELL`. `grammar` makes the
/// whole command line.
pub fn answer(grammar: fn() -> Command) {
    // The engine takes the variable away before it asks for names.
    let shell = std::env::var_os(VARIABLE).unwrap_or_default();
    _ = IS_BASH.set(Path::new(&shell).file_name().is_some_and(|name| name == "bash"));
    plane::know(grammar);
    CompleteEnv::with_factory(grammar).var(VARIABLE).complete();
}

fn is_bash() -> bool {
    IS_BASH.get().copied().unwrap_or_default()
}

/// What a shell runs at its start to complete `tidemill` from then on; `None` for an unknown shell.
pub fn registration(shell: &str) -> Option<String> {
    let mut script = Vec::new();
    let written =
        Shells::builtins().completer(shell)?.write_registration(VARIABLE, NAME, NAME, &program(), &mut script);
    written.ok().map(|()| String::from_utf8_lossy(&script).trim().to_owned())
}

const NAME: &str = "tidemill";

/// The program that the shell is to ask: found by its name if it was started so, else where it lies.
fn program() -> String {
    let started = std::env::args_os().next().unwrap_or_default();
    let is_bare = Path::new(&started).components().count() <= 1;
    let found = std::env::current_exe().ok().filter(|_| !is_bare);
    found.map_or_else(|| NAME.to_owned(), |path| path.to_string_lossy().into_owned())
}

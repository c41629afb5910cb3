//! `tidemill completions`: scripts that complete commands and options in a shell.

use crate::failure::{Exit, Failure};
use crate::session::Session;
use clap_complete::Shell;

/// Print a script that completes commands and options in a shell
#[derive(clap::Args)]
#[command(after_help = "Examples:
  tidemill completions bash > ~/.local/share/bash-completion/completions/tidemill
  tidemill completions zsh > ~/.zfunc/_tidemill
  tidemill completions fish > ~/.config/fish/completions/tidemill.fish")]
pub struct Args {
    /// The shell
    shell: Shell,
}

/// `grammar` is the whole command line.
pub fn run(session: &Session, args: Args, grammar: &mut clap::Command) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, grammar, "tidemill", &mut script);
    session.output.line(String::from_utf8_lossy(&script).trim_end());
    Ok(Exit::Done)
}

//! `tidemill completions`: what makes a shell complete commands, options and names.

use crate::completion::registration;
use crate::failure::{Exit, Failure};
use crate::session::Session;
use clap_complete::Shell;

/// Print what makes a shell complete commands, options and names
///
/// The shell then asks `tidemill` itself. Names of projects, groups, runs, rollouts, environments, versions, secrets, keys
/// and tasks come from the plane that the line would talk to, by its --url and --key, TIDEMILL_URL and TIDEMILL_KEY. If that
/// does not answer within a second, there are none.
#[derive(clap::Args)]
#[command(after_help = "Examples, each to be run once:
  bash        echo 'source <(tidemill completions bash)' >> ~/.bashrc
  zsh         echo 'source <(tidemill completions zsh)' >> ~/.zshrc     # below `compinit`
  fish        echo 'tidemill completions fish | source' > ~/.config/fish/completions/tidemill.fish
  elvish      echo 'eval (tidemill completions elvish | slurp)' >> ~/.config/elvish/rc.elv
  powershell  echo 'tidemill completions powershell | Out-String | Invoke-Expression' >> $PROFILE")]
pub struct Args {
    /// The shell
    shell: Shell,
}

pub fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let shell = args.shell.to_string();
    let script =
        registration(&shell).ok_or_else(|| Failure::new("internal", format!("`{shell}` has no completions")))?;
    session.output.line(script);
    Ok(Exit::Done)
}

//! `tidemill tail`: the logs of the runs of all projects as they come.

use crate::failure::{Exit, Failure};
use crate::runs::tail::{Subject, tail};
use crate::session::Session;

/// Follow the runs of all projects, or of one
///
/// It begins with the runs in progress, each from its first line, and goes on with each new one, until Ctrl-C. Lines carry the project and the beginning of the
/// run's id, by which `tidemill logs` finds it. A plane that is restarted is waited for. The plane is asked five times a second at
/// most, and less while nothing happens.
///
/// With --json each line of a log is an object on a line of its own, and so is the end of a run, which has `state`.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  tidemill tail
  tidemill tail orders
  tidemill tail --json | jq 'select(.level == \"error\" or .state == \"failed\")'")]
pub struct Args {
    /// Only this project's
    project: Option<String>,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let client = session.client()?;
    let command =
        args.project.iter().fold("tidemill tail".to_owned(), |command, project| format!("{command} {project}"));
    let subject = Subject { project: args.project.as_deref(), from_newest: false, command };
    match tail(session, &client, subject).await? {}
}

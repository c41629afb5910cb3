//! `tidemill remove`: takes a project off.

use crate::client::Path;
use crate::failure::{Exit, Failure};
use crate::session::Session;
use std::io::{IsTerminal, Write};

/// Take a project off; its versions, its history and its hook's URL stay
///
/// On a terminal it asks first. A script is not asked: what it removes can be deployed again, and goes on where it was.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  tidemill remove orders --yes")]
pub struct Args {
    /// The project, as `tidemill list` shows it
    project: String,
    /// Remove it without a question
    #[arg(long, short)]
    yes: bool,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let client = session.client()?;
    let path = Path::new(&["deployments", &args.project]);
    if !args.yes && can_ask(session) {
        // Nobody is asked about what is not there.
        client.get(&path).await?;
        if !agreed(&args.project)? {
            session.output.note("nothing was removed");
            return Ok(Exit::Failed);
        }
    }
    let answer = client.delete(&path).await?;
    session.output.done(&answer.text, format_args!("removed `{}`", args.project));
    Ok(Exit::Done)
}

fn can_ask(session: &Session) -> bool {
    !session.output.is_json() && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

fn agreed(project: &str) -> Result<bool, Failure> {
    let failed = |error: std::io::Error| Failure::new("terminal", error.to_string()).hint("give `--yes`");
    let mut stderr = anstream::stderr().lock();
    write!(stderr, "remove `{project}`? [y/N] ").and_then(|()| stderr.flush()).map_err(failed)?;
    let mut answer = String::new();
    if std::io::stdin().read_line(&mut answer).map_err(failed)? == 0 {
        // Ctrl-D leaves the cursor behind the question.
        writeln!(stderr).map_err(failed)?;
    }
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

//! `tidemill resume`: makes a paused or errored deployment active again.

use crate::api::client::Path;
use crate::api::views::Deployment;
use crate::completion::names;
use crate::deploy::one_by_one::summary;
use crate::failure::{Exit, Failure};
use crate::session::Session;

/// Make a paused or errored deployment active again, under your key; ticks of the meantime stay skipped
#[derive(clap::Args)]
#[command(after_help = "Example:\n  tidemill resume orders")]
pub struct Args {
    /// The project, as `tidemill list` shows it
    #[arg(add = names::projects())]
    project: String,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let path = Path::new(&["deployments", &args.project, "resume"]);
    let answer = session.client()?.post(&path, None).await?;
    let deployment: Deployment = answer.read()?;
    session.output.done(&answer.text, format_args!("resumed `{}`: {}", args.project, summary(&deployment)));
    Ok(Exit::Done)
}

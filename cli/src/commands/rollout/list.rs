//! `tidemill rollouts`: what was rolled out, newest first.

use crate::api::client::Path;
use crate::api::pages::PageOptions;
use crate::completion::names;
use crate::failure::{Exit, Failure};
use crate::rollouts::shown;
use crate::session::Session;

/// List rollouts, newest first; they are kept for 30 days
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  tidemill rollouts\n  tidemill rollouts --group nightly --limit 5")]
pub struct Args {
    /// Only this group's [default: all]
    #[arg(long, value_name = "NAME", add = names::groups())]
    group: Option<String>,
    #[command(flatten)]
    wanted: PageOptions,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let path = Path::new(&["rollouts"]).with_some("group", args.group);
    let list = args.wanted.fetch(&session.client()?, &path).await?;
    list.print(session, "no rollout matches", shown::columns(), shown::row)?;
    Ok(Exit::Done)
}

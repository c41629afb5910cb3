//! `tidemill versions`: the numbered snapshots of a project's pipeline.

mod add;
mod list;
mod show;

use crate::failure::{Exit, Failure};
use crate::session::Session;

/// List a project's versions, newest first, print the pipeline of one, or add one
///
/// A project that is called `add` or `show` is listed by `tidemill versions -- add`.
#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Examples:
  tidemill versions orders
  tidemill versions show orders 3 > orders-3.pipe
  tidemill versions add orders.pipe --env staging"
)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: list::List,
}

#[derive(clap::Subcommand)]
enum Command {
    Add(add::Args),
    Show(show::Args),
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    match args.command {
        Some(Command::Add(args)) => add::run(session, args).await,
        Some(Command::Show(args)) => show::run(session, args).await,
        None => list::run(session, args.list).await,
    }
}

//! `tidemill env`: which version is live in which environment, and how its sources run.

mod deploy;
mod disable;
mod enable;
mod history;
mod list;
pub mod moved;
mod place;
pub mod promote;
mod remove;
pub mod rollback;
mod run;
mod show;
mod source;
mod views;

use crate::failure::{Exit, Failure};
use crate::session::Session;

/// Show and change environments: which version of a project is live where, and how its sources run there
///
/// An environment is a named live pointer of projects, e.g. `staging`. Versions come from `tidemill versions add`, move
/// on with `tidemill promote` and back with `tidemill rollback`. The environment `production` is not the deployment that
/// `tidemill deploy` makes: that has a version and a schedule of its own.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  tidemill versions add orders.pipe
  tidemill env deploy orders 1 --env staging
  tidemill env source orders timer_1 --env staging --schedule @daily
  tidemill env list")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    #[command(visible_alias = "ls")]
    List(list::Args),
    Show(show::Args),
    Deploy(deploy::Args),
    Run(run::Args),
    Enable(enable::Args),
    Disable(disable::Args),
    Source(source::Args),
    History(history::Args),
    #[command(visible_alias = "rm")]
    Remove(remove::Args),
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    match args.command {
        Command::List(args) => list::run(session, args).await,
        Command::Show(args) => show::run(session, args).await,
        Command::Deploy(args) => deploy::run(session, args).await,
        Command::Run(args) => run::run(session, args).await,
        Command::Enable(args) => enable::run(session, args).await,
        Command::Disable(args) => disable::run(session, args).await,
        Command::Source(args) => source::run(session, args).await,
        Command::History(args) => history::run(session, args).await,
        Command::Remove(args) => remove::run(session, args).await,
    }
}

//! `tidemill ticks`: every due minute with its outcome.

use crate::api::client::Path;
use crate::api::pages::Period;
use crate::api::views::Tick;
use crate::completion::names;
use crate::failure::{Exit, Failure};
use crate::output::table::{self, or_dash, state};
use crate::output::times::{self, bare, relative};
use crate::session::Session;
use comfy_table::Cell;

/// List a project's due minutes, newest first: each ran, was skipped, or was missed
#[derive(clap::Args)]
#[command(after_help = "Example:\n  tidemill ticks orders --since 6h")]
pub struct Args {
    /// The project, as `tidemill list` shows it
    #[arg(add = names::projects())]
    project: String,
    #[command(flatten)]
    period: Period,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let path = Path::new(&["deployments", &args.project, "ticks"]);
    let list = args.period.fetch(&session.client()?, &path).await?;
    let now = crate::output::times::now();
    let columns = table::new(&[times::heading("DUE").as_str(), "AGO", "OUTCOME", "REASON", "RUN"])
        .gives_up(&["AGO", "REASON", "RUN"]);
    list.print(session, "no tick matches", columns, |table, tick: Tick| {
        table.add_row([
            Cell::new(bare(tick.at)),
            Cell::new(relative(tick.at, now)),
            state(&tick.outcome),
            or_dash(tick.reason),
            or_dash(tick.run),
        ]);
    })?;
    Ok(Exit::Done)
}

//! `tidemill env history`: who put which version live when.

use super::place::Place;
use super::views::Change;
use crate::api::pages::PageOptions;
use crate::failure::{Exit, Failure};
use crate::output::table::{self, or_dash, plain};
use crate::output::times::{self, relative};
use crate::session::Session;
use comfy_table::Cell;

/// List what was deployed to an environment and changed there, and the versions that were added, newest first
#[derive(clap::Args)]
#[command(after_help = "Example:\n  tidemill env history orders --env staging")]
pub struct Args {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    wanted: PageOptions,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let list = args.wanted.fetch(&session.client()?, &args.place.path(&["history"])).await?;
    let now = times::now();
    let columns = table::new(&["AT", "OPERATION", "VERSION", "BEFORE", "SOURCE", "BY KEY"])
        .gives_up(&["BY KEY", "SOURCE", "BEFORE"]);
    list.print(session, "nothing happened yet", columns, |table, change: Change| {
        table.add_row([
            Cell::new(relative(change.at, now)),
            Cell::new(plain(&change.operation)),
            Cell::new(change.version),
            or_dash(change.from_version),
            or_dash(change.source.as_deref().map(plain)),
            Cell::new(change.key),
        ]);
    })?;
    Ok(Exit::Done)
}

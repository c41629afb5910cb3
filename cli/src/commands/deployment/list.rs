//! `tidemill list`: what is deployed.

use crate::api::client::Path;
use crate::api::pages::PageOptions;
use crate::api::views::Deployment;
use crate::failure::{Exit, Failure};
use crate::output::table::{self, or_dash, plain, state};
use crate::output::times::relative;
use crate::session::Session;
use comfy_table::Cell;

/// List what is deployed, and when it runs next
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  tidemill list\n  tidemill list --all --json")]
pub struct Args {
    #[command(flatten)]
    wanted: PageOptions,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let list = args.wanted.fetch(&session.client()?, &Path::new(&["deployments"])).await?;
    let empty = "nothing is deployed; `tidemill deploy FILE` puts a pipeline live";
    let columns = table::new(&["PROJECT", "STATE", "SCHEDULE", "ZONE", "NEXT", "VERSION", "UPDATED"]);
    let now = crate::output::times::now();
    list.print(session, empty, columns, |table, deployment: Deployment| {
        table.add_row([
            Cell::new(plain(&deployment.project)),
            state(&deployment.state),
            Cell::new(&deployment.schedule),
            Cell::new(&deployment.timezone),
            or_dash(deployment.next.first().map(|at| relative(*at, now))),
            Cell::new(deployment.version),
            Cell::new(relative(deployment.updated_at, now)),
        ]);
    })?;
    Ok(Exit::Done)
}

//! The versions of a project, or the pipeline of one.

use super::show;
use crate::api::client::Path;
use crate::api::pages::PageOptions;
use crate::api::views::Version;
use crate::completion::names;
use crate::failure::{Exit, Failure};
use crate::output::table::{self, or_dash, plain};
use crate::output::times::relative;
use crate::rollouts::shown::short;
use crate::session::Session;
use comfy_table::Cell;

#[derive(clap::Args)]
pub struct List {
    /// The project, as `tidemill list` or `tidemill env list` shows it
    #[arg(required = true, add = names::placed_projects())]
    project: Option<String>,
    /// Print the pipeline of this version, byte for byte [default: list the versions]
    #[arg(long = "version", value_name = "N", add = names::versions())]
    number: Option<u32>,
    #[command(flatten)]
    wanted: PageOptions,
}

pub async fn run(session: &Session, args: List) -> Result<Exit, Failure> {
    let project = args.project.unwrap_or_default();
    if let Some(number) = args.number {
        return show::run(session, show::Args { project, version: number, as_json: false }).await;
    }
    let path = Path::new(&["deployments", &project, "versions"]);
    let list = args.wanted.fetch(&session.client()?, &path).await?;
    let now = crate::output::times::now();
    let columns = table::new(&["VERSION", "SHA256", "COMPONENTS", "BYTES", "MADE", "BY KEY", "COMMIT", "NOTE"])
        .gives_up(&["BYTES", "COMPONENTS", "BY KEY", "SHA256", "COMMIT", "NOTE"]);
    list.print(session, "there is no version", columns, |table, version: Version| {
        table.add_row([
            Cell::new(version.version),
            Cell::new(version.sha256.get(..12).unwrap_or(&version.sha256)),
            Cell::new(version.components),
            Cell::new(version.bytes),
            Cell::new(relative(version.created_at, now)),
            Cell::new(version.created_by),
            or_dash(version.git.and_then(|git| git.commit).as_deref().map(short)),
            or_dash(version.note.as_deref().map(plain)),
        ]);
    })?;
    Ok(Exit::Done)
}

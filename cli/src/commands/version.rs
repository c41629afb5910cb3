//! `tidemill versions`: what was ever deployed of a project.

use crate::client::Path;
use crate::failure::{Exit, Failure};
use crate::pages::Wanted;
use crate::rollouts::shown::short;
use crate::session::Session;
use crate::table::{self, or_dash, plain};
use crate::times::{both, relative};
use crate::views::Version;
use comfy_table::Cell;

/// List a project's versions, newest first, or print the pipeline of one
#[derive(clap::Args)]
#[command(after_help = "Examples:
  tidemill versions orders
  tidemill versions orders --version 3 > orders-3.pipe")]
pub struct Args {
    /// The project, as `tidemill list` shows it
    project: String,
    /// Print the pipeline of this version as it was sent
    #[arg(long = "version", value_name = "N")]
    number: Option<u32>,
    #[command(flatten)]
    wanted: Wanted,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    match args.number {
        Some(number) => one(session, &args.project, number).await,
        None => list(session, &args).await,
    }
}

async fn list(session: &Session, args: &Args) -> Result<Exit, Failure> {
    let path = Path::new(&["deployments", &args.project, "versions"]);
    let list = args.wanted.fetch(&session.client()?, &path).await?;
    let now = crate::times::now();
    let columns = table::new(&["VERSION", "SHA256", "COMPONENTS", "BYTES", "MADE", "BY KEY", "COMMIT", "NOTE"]);
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

async fn one(session: &Session, project: &str, number: u32) -> Result<Exit, Failure> {
    let path = Path::new(&["deployments", project, "versions", &number.to_string()]);
    let answer = session.client()?.get(&path).await?;
    if session.output.is_json() {
        session.output.line(&answer.text);
        return Ok(Exit::Done);
    }
    let version: Version = answer.read()?;
    let made = both(version.created_at, crate::times::now());
    session.output.note(format_args!("version {number} of `{project}`, made {made}, sha256 {}", version.sha256));
    if let Some(pipeline) = &version.pipeline {
        session.output.line(pipeline.get());
    }
    Ok(Exit::Done)
}

//! `tidemill versions show`: the pipeline of a version.

use crate::api::client::Path;
use crate::api::views::Version;
use crate::completion::names;
use crate::failure::{Exit, Failure};
use crate::output::times::{self, both};
use crate::session::Session;

/// Print the pipeline of a version, byte for byte
#[derive(clap::Args)]
#[command(after_help = "Example:\n  tidemill versions show orders 3 > orders-3.pipe")]
pub struct Args {
    /// The project
    #[arg(add = names::placed_projects())]
    pub project: String,
    /// The number that `tidemill versions` shows
    #[arg(add = names::versions())]
    pub version: u32,
}

pub async fn run(session: &Session, project: &str, number: u32) -> Result<Exit, Failure> {
    let path = Path::new(&["deployments", project, "versions", &number.to_string()]);
    let answer = session.client()?.get(&path).await?;
    if session.output.is_json() {
        session.output.answer(&answer.text);
        return Ok(Exit::Done);
    }
    let version: Version = answer.read()?;
    let made = both(version.created_at, times::now());
    session.output.note(format_args!("version {number} of `{project}`, made {made}, sha256 {}", version.sha256));
    if let Some(pipeline) = &version.pipeline {
        session.output.line(pipeline.get());
    }
    Ok(Exit::Done)
}

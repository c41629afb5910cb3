//! `tidemill versions show`: the pipeline of a version.

use crate::api::client::Path;
use crate::api::views::Version;
use crate::completion::names;
use crate::failure::{Exit, Failure};
use crate::output::times::{self, both};
use crate::session::Session;

/// Print the pipeline of a version as it was written, byte for byte
///
/// It is the whole file if the pipeline was written in YAML or in JSON with comments; --as-json prints what runs instead.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  tidemill versions show orders 3 > orders-3.pipe")]
pub struct Args {
    /// The project
    #[arg(add = names::placed_projects())]
    pub project: String,
    /// The number that `tidemill versions` shows
    #[arg(add = names::versions())]
    pub version: u32,
    /// Print JSON, whatever the pipeline was written in
    #[arg(long)]
    pub as_json: bool,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let Args { project, version: number, as_json } = args;
    let path = Path::new(&["deployments", &project, "versions", &number.to_string()]);
    let answer = session.client()?.get(&path).await?;
    if session.output.is_json() {
        session.output.answer(&answer.text);
        return Ok(Exit::Done);
    }
    let version: Version = answer.read()?;
    let made = both(version.created_at, times::now());
    session.output.note(format_args!("version {number} of `{project}`, made {made}, sha256 {}", version.sha256));
    match (&version.pipeline_text, &version.pipeline) {
        (Some(written), _) if !as_json => session.output.line(written.text.strip_suffix('\n').unwrap_or(&written.text)),
        (_, Some(pipeline)) => session.output.line(pipeline.get()),
        (_, None) => {}
    }
    Ok(Exit::Done)
}

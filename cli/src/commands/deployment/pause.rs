//! `tidemill pause`: stops starting new runs.

use crate::api::client::Path;
use crate::completion::names;
use crate::failure::{Exit, Failure};
use crate::session::Session;
use serde_json::json;

/// Stop starting new runs; a run in progress finishes
#[derive(clap::Args)]
#[command(after_help = "Example:\n  tidemill pause orders --note 'the shop is closed'")]
pub struct Args {
    /// The project, as `tidemill list` shows it
    #[arg(add = names::projects())]
    project: String,
    /// The reason, for later readers [default: none]
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let path = Path::new(&["deployments", &args.project, "pause"]);
    let answer = session.client()?.post(&path, Some(json!({ "note": args.note }).to_string())).await?;
    session.output.done(&answer.text, format_args!("paused `{}`", args.project));
    Ok(Exit::Done)
}

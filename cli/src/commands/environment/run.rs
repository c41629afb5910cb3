//! `tidemill env run`: runs a source of an environment now.

use super::place::Place;
use super::views::Started;
use crate::failure::{Exit, Failure};
use crate::output::table::plain;
use crate::session::Session;
use serde_json::json;

/// Run a source of the live version now
#[derive(clap::Args)]
#[command(after_help = "Example:\n  tidemill env run orders timer_1 --env staging")]
pub struct Args {
    #[command(flatten)]
    place: Place,
    /// The id of the component that the run starts at
    source: String,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let body = json!({"source": args.source}).to_string();
    let answer = session.client()?.post(&args.place.path(&["run"]), Some(body)).await?;
    let Started { run, version } = answer.read()?;
    let source = plain(&args.source);
    session
        .output
        .done(&answer.text, format_args!("run `{run}` of {}, version {version}, starts at `{source}`", args.place));
    session.output.note(format_args!("follow it with `tidemill logs {run} --follow`"));
    Ok(Exit::Done)
}

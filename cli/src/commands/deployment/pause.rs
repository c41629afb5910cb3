//! `tidemill pause`: stops starting new runs.

use crate::api::client::Path;
use crate::completion::names;
use crate::failure::{Exit, Failure};
use crate::session::Session;
use serde::Deserialize;
use serde_json::json;

/// Stop starting runs; one in progress finishes, those that wait are held until it is resumed
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

/// Of the answer, what is printed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Paused {
    #[serde(default)]
    held_runs: u64,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let path = Path::new(&["deployments", &args.project, "pause"]);
    let answer = session.client()?.post(&path, Some(json!({ "note": args.note }).to_string())).await?;
    let paused: Paused = answer.read()?;
    let held = match paused.held_runs {
        0 => String::new(),
        1 => "; 1 run waits until it is resumed".to_owned(),
        held => format!("; {held} runs wait until it is resumed"),
    };
    session.output.done(&answer.text, format_args!("paused `{}`{held}", args.project));
    Ok(Exit::Done)
}

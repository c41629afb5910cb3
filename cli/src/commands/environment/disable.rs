//! `tidemill env disable`: stops an environment from starting runs.

use super::place::Place;
use crate::failure::{Exit, Failure};
use crate::session::Session;

/// Stop starting runs in an environment; a run in progress finishes
#[derive(clap::Args)]
#[command(after_help = "Example:\n  tidemill env disable orders --env staging")]
pub struct Args {
    #[command(flatten)]
    place: Place,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let answer = session.client()?.post(&args.place.path(&["disable"]), None).await?;
    session.output.done(&answer.text, format_args!("disabled {}", args.place));
    Ok(Exit::Done)
}

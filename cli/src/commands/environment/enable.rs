//! `tidemill env enable`: lets an environment run again.

use super::place::Place;
use crate::failure::{Exit, Failure};
use crate::session::Session;

/// Let the sources of an environment run by their schedules again
#[derive(clap::Args)]
#[command(after_help = "Example:\n  tidemill env enable orders --env staging")]
pub struct Args {
    #[command(flatten)]
    place: Place,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let answer = session.client()?.post(&args.place.path(&["enable"]), None).await?;
    session.output.done(&answer.text, format_args!("enabled {}", args.place));
    Ok(Exit::Done)
}

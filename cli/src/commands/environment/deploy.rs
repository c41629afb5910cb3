//! `tidemill env deploy`: puts a version live in an environment.

use super::moved;
use super::place::Place;
use crate::completion::names;
use crate::failure::{Exit, Failure};
use crate::session::Session;
use serde_json::json;

/// Put a version live in an environment; the first deployment creates it
///
/// Runs in progress keep their version. A removed environment is restored with its schedules.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  tidemill env deploy orders 3 --env staging
  tidemill env deploy orders 3 --env staging --revision 7")]
pub struct Args {
    #[command(flatten)]
    place: Place,
    /// The number that `tidemill versions` shows
    #[arg(add = names::versions())]
    version: u32,
    /// Refuse if the environment has changed since this revision; 0 is before the first deployment [default: any]
    #[arg(long, value_name = "N")]
    revision: Option<u64>,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let body = json!({"version": args.version, "revision": args.revision}).to_string();
    let answer = session.client()?.put(&args.place.path(&[]), body).await?;
    moved::print(session, &args.place, &answer)
}

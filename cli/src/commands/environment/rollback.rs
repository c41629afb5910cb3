//! `tidemill rollback`: takes an environment back to an earlier version.

use super::moved;
use super::place::Place;
use crate::completion::names;
use crate::failure::{Exit, Failure};
use crate::session::Session;
use serde_json::json;

/// Put the version that was live before live again; rolling back again goes further back
///
/// The environment `production` is not the deployment that `tidemill deploy` makes: go back there with
/// `tidemill update`.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  tidemill rollback orders --env staging
  tidemill rollback orders --env staging --to 3")]
pub struct Args {
    #[command(flatten)]
    place: Place,
    /// The version to go back to [default: the last one before]
    #[arg(long, value_name = "VERSION", add = names::versions())]
    to: Option<u32>,
    /// Refuse if the environment has changed since this revision [default: any]
    #[arg(long, value_name = "N")]
    revision: Option<u64>,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let body = json!({"version": args.to, "revision": args.revision}).to_string();
    let answer = session.client()?.post(&args.place.path(&["rollback"]), Some(body)).await?;
    moved::print(session, &args.place, &answer)
}

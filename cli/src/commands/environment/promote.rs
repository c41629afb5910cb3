//! `tidemill promote`: takes the version that is live in one environment to another.

use super::moved;
use super::place::Place;
use crate::completion::names;
use crate::failure::{Exit, Failure};
use crate::session::Session;
use serde_json::json;

/// Put the version that is live in one environment live in another
///
/// Schedules belong to each environment and stay as they are. The environment `production` is not the deployment that
/// `tidemill deploy` makes.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  tidemill promote orders --from testing --to staging")]
pub struct Args {
    /// The project, as `tidemill env list` shows it
    #[arg(add = names::placed_projects())]
    project: String,
    /// The environment whose live version is promoted
    #[arg(long, value_name = "NAME", add = names::environments())]
    from: String,
    /// The environment to put it live in
    #[arg(long, value_name = "NAME", add = names::environments())]
    to: String,
    /// Refuse if the environment of `--to` has changed since this revision; 0 is before the first deployment
    /// [default: any]
    #[arg(long, value_name = "N")]
    revision: Option<u64>,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let body = json!({"from": args.from, "revision": args.revision}).to_string();
    let place = Place { project: args.project, env: args.to };
    let answer = session.client()?.post(&place.path(&["promote"]), Some(body)).await?;
    moved::print(session, &place, &answer)
}

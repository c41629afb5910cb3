//! `tidemill env remove`: takes a project out of an environment.

use super::place::Place;
use crate::failure::{Exit, Failure};
use crate::output::asking::{agreed, can_ask};
use crate::session::Session;

/// Take a project out of an environment; its history and schedules stay for the next deployment
///
/// On a terminal it asks first; a script is not asked.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  tidemill env remove orders --env staging --yes")]
pub struct Args {
    #[command(flatten)]
    place: Place,
    /// Remove without a question
    #[arg(long, short)]
    yes: bool,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let (client, path) = (session.client()?, args.place.path(&[]));
    if !args.yes && can_ask(session) {
        // There is no question about what does not exist.
        client.get(&path).await?;
        if !agreed(&format!("remove {}?", args.place))? {
            session.output.note("nothing was removed");
            return Ok(Exit::Failed);
        }
    }
    let answer = client.delete(&path).await?;
    session.output.done(&answer.text, format_args!("removed {}", args.place));
    Ok(Exit::Done)
}

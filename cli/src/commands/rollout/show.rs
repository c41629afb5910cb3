//! `tidemill rollout`: one rollout, shown, followed or cancelled.

use crate::api::client::Path;
use crate::completion::names;
use crate::failure::{Exit, Failure};
use crate::rollouts::follow::{self, follow};
use crate::rollouts::views::Rollout;
use crate::rollouts::{self, shown};
use crate::session::Session;
use serde_json::json;

/// Show, follow or cancel a rollout
#[derive(clap::Args)]
#[command(after_help = "Examples:
  tidemill rollout show nightly
  tidemill rollout follow 01JD7Z8K3M4N5P6Q7R8S9T0V1W
  tidemill rollout cancel nightly")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Show a rollout, with the outcome of each pipeline
    #[command(after_help = "Example:\n  tidemill rollout show nightly --json")]
    Show(Selection),
    /// Follow a rollout to its end; with --json, a line for each pipeline and one for the rollout
    #[command(after_help = "Example:\n  tidemill rollout follow 01JD7Z8K3M4N5P6Q7R8S9T0V1W")]
    Follow(Selection),
    /// Cancel a rollout: it finishes the pipelines it has begun, and those stay live
    #[command(after_help = "Example:\n  tidemill rollout cancel 01JD7Z8K3M4N5P6Q7R8S9T0V1W")]
    Cancel(Selection),
}

#[derive(clap::Args)]
struct Selection {
    /// The rollout's id or the beginning of it, or a group for its newest rollout; a single pipeline's group has its
    /// project's name
    #[arg(value_name = "ROLLOUT|GROUP", add = names::rollouts())]
    rollout: String,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    match args.command {
        Command::Show(Selection { rollout }) => show(session, &rollout).await,
        Command::Follow(Selection { rollout }) => followed(session, &rollout).await,
        Command::Cancel(Selection { rollout }) => cancel(session, &rollout).await,
    }
}

async fn show(session: &Session, rollout: &str) -> Result<Exit, Failure> {
    let client = session.client()?;
    let found = rollouts::find(&client, rollout).await?;
    let answer = client.get(&rollouts::path(&found.id)).await?;
    if session.output.is_json() {
        session.output.answer(&answer.text);
        return Ok(Exit::Done);
    }
    let rollout: Rollout = answer.read()?;
    session.output.line(shown::shown(&rollout));
    let resources = shown::resources(&rollout.items);
    if !resources.is_empty() {
        let lines: Vec<String> = resources.iter().map(shown::resource).collect();
        session.output.line(format_args!("\n{}", lines.join("\n")));
    }
    Ok(Exit::Done)
}

async fn followed(session: &Session, rollout: &str) -> Result<Exit, Failure> {
    let client = session.client()?;
    let found = rollouts::find(&client, rollout).await?;
    let output = session.output;
    let answer = follow(session, &client, &found, |text| match (output.is_json(), follow::resource(text)) {
        (true, _) => output.object(text.get()),
        (false, Ok(resource)) if shown::is_news(&resource) => output.line(shown::resource(&resource)),
        (false, Ok(_)) => {}
        (false, Err(_)) => {}
    })
    .await?;
    let rollout: Rollout = answer.read()?;
    match output.is_json() {
        true => output.object(&json!(rollouts::without_items(&answer)?).to_string()),
        false => output.line(shown::ended(&rollout, &shown::resources(&rollout.items))),
    }
    follow::ended(&rollout)?;
    Ok(Exit::Done)
}

async fn cancel(session: &Session, rollout: &str) -> Result<Exit, Failure> {
    let client = session.client()?;
    let found = rollouts::find(&client, rollout).await?;
    let answer = client.post(&Path::new(&["rollouts", &found.id, "cancel"]), None).await?;
    let rollout: Rollout = answer.read()?;
    let id = &rollout.id;
    let sentence = match (found.is_final(), rollout.state.as_str()) {
        (true, "cancelled") => format!("rollout `{id}` was cancelled already; there is nothing to cancel"),
        (true, state) => format!("rollout `{id}` has already {state}; there is nothing to cancel"),
        (false, state) if rollout.is_final() => format!("rollout `{id}` is {state}"),
        (false, _) => format!("rollout `{id}` ends after the pipelines it has begun"),
    };
    session.output.done(&answer.text, sentence);
    Ok(Exit::Done)
}

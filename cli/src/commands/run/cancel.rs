//! `tidemill cancel`: asks a run to end.

use crate::api::client::Path;
use crate::api::views::Run;
use crate::completion::names;
use crate::failure::{Exit, Failure};
use crate::runs;
use crate::session::Session;

/// Ask a run to end: it finishes the object in hand, takes no other, and ends as cancelled
#[derive(clap::Args)]
#[command(after_help = "Example:\n  tidemill cancel 01JD7Z8K3M4N5P6Q7R8S9T0V1W")]
pub struct Args {
    /// The run's id or the beginning of it, or a project for its newest run
    #[arg(value_name = "RUN|PROJECT", add = names::runs())]
    run: String,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let client = session.client()?;
    let found = runs::find(&client, &args.run).await?;
    let path = Path::new(&["runs", &found.id, "cancel"]).with("project", &found.project);
    let answer = client.post(&path, None).await?;
    let run: Run = answer.read()?;
    let sentence = match run.is_final() {
        true => format!("run `{}` is {}", run.id, run.state),
        false => format!("run `{}` ends after the object in hand", run.id),
    };
    session.output.done(&answer.text, sentence);
    Ok(Exit::Done)
}

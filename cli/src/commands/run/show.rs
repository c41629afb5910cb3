//! `tidemill runs`: what ran, newest first, and one of them in detail.

use crate::api::client::Path;
use crate::api::pages::Period;
use crate::api::views::Run;
use crate::completion::names;
use crate::failure::{Exit, Failure};
use crate::runs::{self, DroppedColumn, result_text};
use crate::session::Session;

/// List what ran, newest first, or show one run with its result
///
/// A project that is called `show` is listed by `tidemill runs -- show`.
#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  tidemill runs
  tidemill runs orders --state failed --since 24h
  tidemill runs show 01JD7Z8K3M4N5P6Q7R8S9T0V1W
  tidemill runs show orders"
)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    filter: Filter,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Show one run with its result
    #[command(after_help = "Example:\n  tidemill runs show orders --json")]
    Show {
        /// The run's id or the beginning of it, or a project for its newest run
        #[arg(value_name = "RUN|PROJECT", add = names::runs())]
        run: String,
    },
}

#[derive(clap::Args)]
struct Filter {
    /// Only this project's
    #[arg(add = names::projects())]
    project: Option<String>,
    /// Only runs in this state [default: in any]
    #[arg(long, value_parser = ["queued", "running", "succeeded", "failed", "cancelled", "timed_out"])]
    state: Option<String>,
    /// Only runs that were started by this [default: by any]
    #[arg(long, value_parser = ["schedule", "webhook", "call", "manual", "task"])]
    trigger: Option<String>,
    /// Only of this version of the pipeline [default: of any]
    #[arg(long, value_name = "N", add = names::versions())]
    version: Option<u32>,
    #[command(flatten)]
    period: Period,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    match args.command {
        Some(Command::Show { run }) => show(session, &run).await,
        None => list(session, args.filter).await,
    }
}

async fn list(session: &Session, filter: Filter) -> Result<Exit, Failure> {
    let path = Path::new(&["runs"]);
    let path = match &filter.project {
        Some(project) => path.in_project(project),
        None => path,
    };
    let path =
        path.with_some("state", filter.state).with_some("trigger", filter.trigger).with_some("version", filter.version);
    let list = filter.period.fetch(&session.client()?, &path).await?;
    let dropped = DroppedColumn::of(&list);
    list.print(session, "no run matches", runs::columns(dropped), |table, run| runs::row(table, dropped, run))?;
    Ok(Exit::Done)
}

async fn show(session: &Session, run: &str) -> Result<Exit, Failure> {
    let client = session.client()?;
    let found = runs::find(&client, run).await?;
    let answer = client.get(&runs::path(&found)).await?;
    if session.output.is_json() {
        session.output.answer(&answer.text);
        return Ok(Exit::Done);
    }
    let run: Run = answer.read()?;
    session.output.line(runs::shown(&run));
    if let Some(counts) = runs::counts(&run) {
        session.output.line(format_args!("\n{counts}"));
    }
    if let Some(result) = run.result.as_ref().and_then(|result| result_text(result.get())) {
        session.output.line(format_args!("\n{result}"));
    }
    Ok(Exit::Done)
}

//! `tidemill logs`: a run's log, also while it grows.

use crate::api::client::Client;
use crate::api::views::{ComponentCounts, Logs, Run};
use crate::completion::names;
use crate::failure::{Exit, Failure};
use crate::runs::follow::follow;
use crate::runs::log::Log;
use crate::runs::log_text::LogText;
use crate::runs::screen::Lines;
use crate::runs::tail::{Subject, tail};
use crate::runs::{self, Named};
use crate::session::Session;
use serde::Serialize;
use serde_json::value::RawValue;

/// Show the log of a run
///
/// With --follow it shows lines, and what each component counted, while the run goes on: after each step, and every ten seconds of a
/// long one. A run is followed to its end. A project is followed from run to run until Ctrl-C, beginning with its newest one. A plane
/// that is restarted is waited for.
///
/// A run that had several attempts has a heading for each. With --json the answer is one object; with --json and --follow each line
/// of the log is an object on a line of its own, with its project, run and attempt, and, where a project is followed, so is the
/// end of a run, which has `state`.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  tidemill logs orders --follow
  tidemill logs 01JD7Z8K3M4N5P6Q7R8S9T0V1W --json")]
pub struct Args {
    /// The run's id or the beginning of it, or a project for its newest run
    #[arg(value_name = "RUN|PROJECT", add = names::runs())]
    run: String,
    /// Go on until the run has ended, or with a project from run to run
    #[arg(long, short)]
    follow: bool,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let client = session.client()?;
    if args.follow {
        return match runs::named(&client, &args.run).await? {
            Named::Run(run) => {
                follow(session, &client, &run, Lines::Answer).await?;
                show_error(session, &client, *run).await?;
                Ok(Exit::Done)
            }
            Named::Project(_) => {
                let command = format!("tidemill logs {} --follow", args.run);
                let subject = Subject { project: Some(&args.run), from_newest: true, command };
                match tail(session, &client, subject).await? {}
            }
        };
    }
    let run = runs::find(&client, &args.run).await?;
    let all = everything(session, &mut Log::of(&client, &run)).await?;
    if session.output.is_json() {
        session.output.json(&All::from(all));
        return Ok(Exit::Done);
    }
    for line in LogText::default().more(&all) {
        session.output.line(line);
    }
    if !all.complete {
        session.output.note(format_args!("run `{}` is {}; --follow shows what comes", all.run, all.state));
        return Ok(Exit::Done);
    }
    if all.items.is_empty() {
        session.output.note(format_args!("run `{}` wrote no log", all.run));
    }
    show_error(session, &client, run).await?;
    Ok(Exit::Done)
}

/// Below the log of a run that failed: with what.
async fn show_error(session: &Session, client: &Client, found: Run) -> Result<(), Failure> {
    if session.output.is_json() {
        return Ok(());
    }
    let run = match found.is_final() {
        true => found,
        false => client.get(&runs::path(&found)).await?.read()?,
    };
    if let Some(failure) = runs::failure(&run) {
        session.output.failure(&failure);
    }
    Ok(())
}

/// A whole log in the API's form.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct All {
    run: String,
    state: String,
    attempt: u32,
    max_attempts: u32,
    objects: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    components: Vec<ComponentCounts>,
    items: Vec<Box<RawValue>>,
    next: u32,
    complete: bool,
}

impl From<Logs> for All {
    fn from(logs: Logs) -> All {
        let Logs { run, state, attempt, max_attempts, objects, components, items, next, complete } = logs;
        All { run, state, attempt, max_attempts, objects, components, items, next, complete }
    }
}

/// Everything that there is now.
async fn everything(session: &Session, log: &mut Log<'_>) -> Result<Logs, Failure> {
    let mut items = Vec::new();
    loop {
        let mut part = log.more(|failure| session.output.trying_again(failure)).await?;
        let is_end = part.complete || part.items.is_empty();
        items.append(&mut part.items);
        if is_end {
            return Ok(Logs { items, ..part });
        }
    }
}

//! `tidemill logs`: a run's log, also while it grows.

use crate::api::client::Client;
use crate::api::views::Run;
use crate::completion::names;
use crate::failure::{Exit, Failure};
use crate::runs;
use crate::runs::following::{self, Log, line_text};
use crate::session::Session;
use serde::Serialize;
use serde_json::value::RawValue;

/// Show the log of a run
///
/// With --json the answer is one object; with --json and --follow each line of the log is an object on a line of its
/// own.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  tidemill logs orders --follow
  tidemill logs 01JD7Z8K3M4N5P6Q7R8S9T0V1W --json")]
pub struct Args {
    /// The run's id or the beginning of it, or a project for its newest run
    #[arg(value_name = "RUN|PROJECT", add = names::runs())]
    run: String,
    /// Go on until the run has ended
    #[arg(long, short)]
    follow: bool,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let client = session.client()?;
    let run = runs::find(&client, &args.run).await?;
    if args.follow {
        let show = |line: &RawValue| match session.output.is_json() {
            true => session.output.object(line.get()),
            false => session.output.line(line_text(line)),
        };
        following::follow(session, &client, &run, show).await?;
        show_error(session, &client, run).await?;
        return Ok(Exit::Done);
    }
    let all = everything(&mut Log::of(&client, &run)).await?;
    if session.output.is_json() {
        session.output.json(&all);
        return Ok(Exit::Done);
    }
    for line in &all.items {
        session.output.line(line_text(line));
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
struct All {
    run: String,
    state: String,
    items: Vec<Box<RawValue>>,
    next: u32,
    complete: bool,
}

/// Everything that there is now.
async fn everything(log: &mut Log<'_>) -> Result<All, Failure> {
    let mut items = Vec::new();
    loop {
        let part = log.more().await?;
        let is_end = part.complete || part.items.is_empty();
        items.extend(part.items);
        if is_end {
            return Ok(All { run: part.run, state: part.state, items, next: part.next, complete: part.complete });
        }
    }
}

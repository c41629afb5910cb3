//! `tidemill tasks`: runs that stay open for objects. Their tokens are credentials, so people see ids.

use crate::api::beginning;
use crate::api::client::{Client, Path};
use crate::api::pages::List;
use crate::completion::names;
use crate::failure::{Exit, Failure};
use crate::output::table::{self, plain, state};
use crate::output::times::relative;
use crate::session::Session;
use comfy_table::Cell;
use jiff::Timestamp;
use serde::Deserialize;

/// List open tasks and those that ended within five minutes, newest first, or end one
#[derive(clap::Args)]
#[command(after_help = "Examples:
  tidemill tasks
  tidemill tasks end 5b1f0c9a.webhook_1")]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(clap::Subcommand)]
enum Command {
    /// End a task: it finishes the objects it has taken and refuses new ones
    #[command(after_help = "Example:\n  tidemill tasks end 5b1f0c9a.webhook_1")]
    End {
        /// The id that `tasks` shows or the beginning of it, or the task's token
        #[arg(value_name = "TASK", add = names::tasks())]
        task: String,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Task {
    token: String,
    id: String,
    project: String,
    state: String,
    opened_at: Timestamp,
    in_flight: u64,
    completed_count: u64,
    failed_count: u64,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let client = session.client()?;
    match args.command {
        None => list(session, &client).await,
        Some(Command::End { task }) => end(session, &client, &task).await,
    }
}

async fn list(session: &Session, client: &Client) -> Result<Exit, Failure> {
    let list: List = client.get(&Path::new(&["tasks"])).await?.read()?;
    let now = crate::output::times::now();
    let columns = ["TASK", "PROJECT", "STATE", "OPENED", "IN FLIGHT", "DONE", "FAILED"];
    let columns = table::new(&columns).gives_up(&["OPENED", "DONE", "FAILED", "IN FLIGHT"]);
    list.print(session, "no task is open", columns, |table, task: Task| {
        table.add_row([
            Cell::new(plain(&task.id)),
            Cell::new(plain(&task.project)),
            state(&task.state),
            Cell::new(relative(task.opened_at, now)),
            Cell::new(task.in_flight),
            Cell::new(task.completed_count),
            Cell::new(task.failed_count),
        ]);
    })?;
    Ok(Exit::Done)
}

async fn end(session: &Session, client: &Client, name: &str) -> Result<Exit, Failure> {
    let token = token(client, name).await?;
    let answer = client.delete(&Path::new(&["tasks", &token])).await?;
    let sentence = match answer.read::<TaskState>()?.state.as_str() {
        "ended" => format!("task `{}` has ended", plain(name)),
        _ => format!("task `{}` ends after the objects it has taken", plain(name)),
    };
    session.output.done(&answer.text, sentence);
    Ok(Exit::Done)
}

#[derive(Deserialize)]
struct TaskState {
    state: String,
}

#[derive(Deserialize)]
struct Tasks {
    items: Vec<Task>,
}

/// The token of the open task with this id; a text that is no id is taken for a token.
async fn token(client: &Client, name: &str) -> Result<String, Failure> {
    let tasks: Tasks = client.get(&Path::new(&["tasks"])).await?.read()?;
    let open: Vec<Task> = tasks.items.into_iter().filter(|task| task.state != "ended").collect();
    let (of_id, others): (Vec<Task>, Vec<Task>) = open.into_iter().partition(|task| task.id == name);
    if of_id.is_empty() {
        let begins = |task: &Task| beginning::begins(&task.id, name);
        let found = others.into_iter().filter(begins).map(|task| (task.id.clone(), task.token)).collect();
        return Ok(beginning::only("task", name, found, false)?.unwrap_or_else(|| name.to_owned()));
    }
    match of_id.as_slice() {
        [task] => Ok(task.token.clone()),
        _ => Err(Failure::argument(
            format!("several tasks have the id `{}`", plain(name)),
            "give the token instead; `tidemill tasks --json` shows it",
        )),
    }
}

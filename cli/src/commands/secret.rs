//! `tidemill secrets`: values that configs name as `${NAME}`, never shown again.

use crate::api::client::Path;
use crate::api::pages::PageOptions;
use crate::api::views::Secret;
use crate::completion::names;
use crate::failure::{Exit, Failure};
use crate::output::table;
use crate::output::times::relative;
use crate::session::Session;
use comfy_table::Cell;
use serde_json::json;
use std::io::{ErrorKind, IsTerminal, Read, Write};
use tidemill_model::ids::SecretName;
use tokio::signal::unix::{SignalKind, signal};

/// Set, list and remove the secrets that configs name as `${NAME}`
#[derive(clap::Args)]
#[command(after_help = "Examples:
  tidemill secrets set API_TOKEN                  asks for the value without showing it
  printf %s \"$TOKEN\" | tidemill secrets set API_TOKEN
  tidemill secrets list
  tidemill secrets remove API_TOKEN")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Set a secret; it is encrypted, and never shown again
    #[command(after_help = "Example:\n  printf %s \"$TOKEN\" | tidemill secrets set API_TOKEN")]
    Set {
        /// The name in configs
        #[arg(add = names::secrets())]
        name: String,
        /// The value. Other users of the machine can see it; standard input is safer [default: it is asked for, or read
        /// from standard input]
        #[arg(long, value_name = "VALUE")]
        value: Option<String>,
    },
    /// List the names of secrets
    #[command(visible_alias = "ls", after_help = "Example:\n  tidemill secrets list")]
    List {
        #[command(flatten)]
        wanted: PageOptions,
    },
    /// Delete a secret; runs that name it fail from then on
    #[command(visible_alias = "rm", after_help = "Example:\n  tidemill secrets remove API_TOKEN")]
    Remove {
        /// The name that `secrets list` shows
        #[arg(add = names::secrets())]
        name: String,
    },
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let client = session.client()?;
    match args.command {
        Command::Set { name, value } => {
            SecretName::parse(name.clone())?;
            let value = value.map_or_else(|| read_value(&name), Ok)?;
            let body = json!({ "value": value }).to_string();
            let answer = client.put(&Path::new(&["secrets", &name]), body).await?;
            session.output.done(&answer.text, format_args!("secret `{name}` is set"));
        }
        Command::List { wanted } => {
            let list = wanted.fetch(&client, &Path::new(&["secrets"])).await?;
            let now = crate::output::times::now();
            list.print(session, "there are no secrets", table::new(&["NAME", "SET"]), |table, secret: Secret| {
                table.add_row([Cell::new(secret.name), Cell::new(relative(secret.updated_at, now))]);
            })?;
        }
        Command::Remove { name } => {
            SecretName::parse(name.clone())?;
            let answer = client.delete(&Path::new(&["secrets", &name])).await?;
            session.output.done(&answer.text, format_args!("secret `{name}` is removed"));
        }
    }
    Ok(Exit::Done)
}

/// From the terminal without an echo, else all of standard input without the line break at its end.
fn read_value(name: &str) -> Result<String, Failure> {
    let read = match std::io::stdin().is_terminal() {
        true => ask(name),
        false => {
            let mut text = String::new();
            std::io::stdin().lock().read_to_string(&mut text).map(|_| text)
        }
    };
    let text = read.map_err(|error| match error.kind() {
        ErrorKind::Interrupted => Failure::new("interrupted", "nothing was set").exit(Exit::Interrupted),
        ErrorKind::UnexpectedEof => empty(),
        _ => Failure::argument(format!("the value cannot be read: {error}"), "give it on standard input"),
    })?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    match text.strip_suffix('\r').unwrap_or(text) {
        "" => Err(empty()),
        text => Ok(text.to_owned()),
    }
}

fn empty() -> Failure {
    Failure::argument("the value is empty", "type it, or give it on standard input")
}

fn ask(name: &str) -> std::io::Result<String> {
    // While this listens for Ctrl-C, it does not kill the command before the terminal's echo is on again.
    let _listens = signal(SignalKind::interrupt())?;
    let value = rpassword::prompt_password(format!("value of {name}: "));
    if value.as_ref().is_err_and(|error| error.kind() == ErrorKind::UnexpectedEof) {
        // The cursor is still behind the question.
        _ = writeln!(std::io::stderr());
    }
    value
}

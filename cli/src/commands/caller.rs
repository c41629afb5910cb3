//! `tidemill whoami`: whose key a command uses, and which plane answers.

use crate::api::client::Path;
use crate::failure::{Exit, Failure};
use crate::output::table::{self, facts, or_dash, plain};
use crate::session::Session;
use comfy_table::Cell;
use serde::Deserialize;

/// Show whose key commands use, what it may do, and which plane answers
#[derive(clap::Args)]
#[command(after_help = "Examples:
  tidemill whoami
  tidemill whoami --url https://plane.example.com --json")]
pub struct Args {}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Caller {
    owner: String,
    key: Key,
    scopes: Vec<String>,
    plane: String,
    version: String,
    minute_seconds: f64,
}

#[derive(Deserialize)]
struct Key {
    id: String,
    name: Option<String>,
}

pub async fn run(session: &Session, _: Args) -> Result<Exit, Failure> {
    let client = session.client()?;
    let answer = client.get(&Path::new(&["me"])).await?;
    if session.output.is_json() {
        session.output.answer(&answer.text);
        return Ok(Exit::Done);
    }
    let caller: Caller = answer.read()?;
    session.output.line(table::text(&facts([
        ("owner", Cell::new(plain(&caller.owner))),
        ("key", Cell::new(plain(&caller.key.id))),
        ("name", or_dash(caller.key.name.as_deref().map(plain))),
        ("scopes", Cell::new(plain(&caller.scopes.join(", ")))),
        ("plane", Cell::new(format!("{}, {}, version {}", client.url(), plain(&caller.plane), plain(&caller.version)))),
        ("minute", Cell::new(format!("{} s", caller.minute_seconds))),
    ])));
    Ok(Exit::Done)
}

//! `tidemill status`: one deployment in detail.

use crate::api::client::Path;
use crate::api::views::{Deployment, Run};
use crate::completion::names;
use crate::failure::{Exit, Failure};
use crate::output::table::{self, facts, plain, state};
use crate::output::times::{both, both_in, relative, seconds};
use crate::runs;
use crate::session::Session;
use comfy_table::Cell;

/// Due instants that are shown.
const NEXT: usize = 3;

/// Show one deployment: its state, its schedule, when it runs next, how it ran last
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  tidemill status orders\n  tidemill status orders --jq .pipeline")]
pub struct Args {
    /// The project, as `tidemill list` shows it
    #[arg(add = names::projects())]
    project: String,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let client = session.client()?;
    let answer = client.get(&Path::new(&["deployments", &args.project])).await?;
    if session.output.is_json() {
        session.output.answer(&answer.text);
        return Ok(Exit::Done);
    }
    let newest = runs::newest(&client, &args.project).await?;
    session.output.line(shown(&answer.read()?, newest.as_ref(), client.url()));
    Ok(Exit::Done)
}

/// A deployment for a person.
pub fn shown(deployment: &Deployment, newest: Option<&Run>, url: &str) -> String {
    let now = crate::output::times::now();
    let mut rows = vec![("project", Cell::new(plain(&deployment.project))), ("state", state(&deployment.state))];
    rows.extend(deployment.note.as_ref().map(|note| ("note", Cell::new(plain(note)))));
    rows.extend(deployment.error.as_ref().map(|error| ("error", Cell::new(plain(error)))));
    rows.push(("schedule", Cell::new(format!("{} ({})", deployment.schedule, deployment.timezone))));
    let next = deployment.next.iter().take(NEXT);
    let next: Vec<String> = next.map(|at| both_in(*at, now, &deployment.timezone)).collect();
    if !next.is_empty() {
        rows.push(("next", Cell::new(next.join("\n"))));
    }
    let last = newest.map_or("never".to_owned(), |run| {
        format!("{} {} by {}, {}", run.id, run.state, run.trigger, relative(run.queued_at, now))
    });
    rows.push(("last run", Cell::new(last)));
    rows.push(("version", Cell::new(deployment.version)));
    if let Some(hook) = &deployment.hook {
        rows.push(("hook", Cell::new(format!("{url}{hook}"))));
    }
    rows.push(("catch-up", Cell::new(seconds(deployment.catch_up_seconds.into()))));
    rows.push(("attempts", Cell::new(deployment.max_attempts)));
    rows.push(("time limit", Cell::new(seconds(deployment.timeout_seconds.into()))));
    rows.push(("deployed", Cell::new(both(deployment.created_at, now))));
    rows.push(("updated", Cell::new(both(deployment.updated_at, now))));
    table::text(&facts(rows))
}

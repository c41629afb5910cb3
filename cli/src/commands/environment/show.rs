//! `tidemill env show`: a project in one environment.

use super::place::Place;
use super::views::Environment;
use crate::failure::{Exit, Failure};
use crate::output::table::{self, facts, or_dash, plain, state};
use crate::output::times::{self, both, relative};
use crate::session::Session;
use comfy_table::Cell;

/// Show which version is live in an environment, and how its sources run
#[derive(clap::Args)]
#[command(after_help = "Example:\n  tidemill env show orders --env staging")]
pub struct Args {
    #[command(flatten)]
    place: Place,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let answer = session.client()?.get(&args.place.path(&[])).await?;
    if session.output.is_json() {
        session.output.answer(&answer.text);
        return Ok(Exit::Done);
    }
    let environment: Environment = answer.read()?;
    let now = times::now();
    let mut rows = vec![
        ("environment", Cell::new(plain(&environment.environment))),
        ("project", Cell::new(plain(&environment.project))),
        ("version", Cell::new(environment.version)),
        ("state", state(&environment.state)),
    ];
    rows.extend(environment.name.as_deref().map(|name| ("name", Cell::new(plain(name)))));
    rows.push(("deployed", Cell::new(both(environment.deployed_at, now))));
    rows.push(("revision", Cell::new(environment.revision)));
    rows.push(("sha256", Cell::new(&environment.sha256)));
    session.output.line(table::text(&facts(rows)));
    if environment.sources.is_empty() {
        return Ok(Exit::Done);
    }
    let mut sources = table::new(&["SOURCE", "STATE", "SCHEDULE", "TIME ZONE", "LIMIT", "LAST RUN", "ERROR"])
        .gives_up(&["LIMIT", "LAST RUN", "ERROR", "SCHEDULE", "TIME ZONE"]);
    for (id, source) in &environment.sources {
        sources.add_row([
            Cell::new(plain(id)),
            state(source.state()),
            Cell::new(plain(&source.schedule)),
            Cell::new(plain(&source.timezone)),
            or_dash(source.ttl_seconds.map(|seconds| format!("{seconds} s"))),
            or_dash(source.last_run_at.map(|at| relative(at, now))),
            or_dash(source.error.as_deref().map(plain)),
        ]);
    }
    session.output.line(format_args!("\n{}", table::text(&sources)));
    Ok(Exit::Done)
}

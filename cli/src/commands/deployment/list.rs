//! `tidemill list`: what is deployed, and what fails.

use crate::api::client::{self, Path};
use crate::api::pages::{List, PageOptions};
use crate::api::views::{Deployment, LastRun};
use crate::completion::names;
use crate::failure::{Exit, Failure};
use crate::output::table::{self, or_dash, plain, state};
use crate::output::times::relative;
use crate::session::Session;
use comfy_table::{Cell, Color};
use jiff::Timestamp;

/// List what is deployed, when it runs next and how its last run ended
///
/// Those whose last run failed stand first. With --json they are in the order of their names.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  tidemill list
  tidemill list --failing
  tidemill list report --state paused
  tidemill list --group night --all --json")]
pub struct Args {
    /// Only projects whose name contains this, upper and lower case alike
    #[arg(add = names::projects())]
    name: Option<String>,
    /// Only those whose last run failed or timed out
    #[arg(long)]
    failing: bool,
    /// Only those in this state [default: in any]
    #[arg(long, value_parser = ["active", "paused", "errored"])]
    state: Option<String>,
    /// Only members of this group [default: of any or none]
    #[arg(long, value_name = "GROUP", add = names::groups())]
    group: Option<String>,
    #[command(flatten)]
    wanted: PageOptions,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let is_all = args.name.is_none() && !args.failing && args.state.is_none() && args.group.is_none();
    let path = Path::new(&["deployments"])
        .with_some("name", args.name)
        .with_some("failing", args.failing.then_some(true))
        .with_some("state", args.state)
        .with_some("group", args.group);
    let mut list = args.wanted.fetch(&session.client()?, &path).await?;
    if !session.output.is_json() {
        failing_first(&mut list)?;
    }
    let empty = match is_all {
        true => "nothing is deployed; `tidemill deploy FILE` puts a pipeline live",
        false => "no deployment matches",
    };
    let columns = table::new(&["PROJECT", "STATE", "SCHEDULE", "ZONE", "NEXT", "LAST", "VERSION", "UPDATED"])
        .gives_up(&["VERSION", "UPDATED", "SCHEDULE", "ZONE", "NEXT"]);
    let now = crate::output::times::now();
    list.print(session, empty, columns, |table, deployment: Deployment| {
        table.add_row([
            Cell::new(plain(&deployment.project)),
            state(&deployment.state),
            Cell::new(&deployment.schedule),
            Cell::new(&deployment.timezone),
            or_dash(deployment.next.first().map(|at| relative(*at, now))),
            last(deployment.last_run.as_ref(), now),
            Cell::new(deployment.version),
            Cell::new(relative(deployment.updated_at, now)),
        ]);
    })?;
    Ok(Exit::Done)
}

fn failing_first(list: &mut List) -> Result<(), Failure> {
    let mut items = Vec::with_capacity(list.items.len());
    for item in std::mem::take(&mut list.items) {
        let deployment: Deployment = client::read(item.get())?;
        items.push((!deployment.last_run.is_some_and(|run| run.is_failure()), item));
    }
    items.sort_by_key(|(works, _)| *works);
    list.items = items.into_iter().map(|(_, item)| item).collect();
    Ok(())
}

/// How the last run ended and how long ago: `✓ 4 min ago`.
fn last(run: Option<&LastRun>, now: Timestamp) -> Cell {
    let Some(run) = run else { return or_dash(None::<String>) };
    let Some(at) = run.ended_at else { return state(&run.state) };
    let ago = relative(at, now);
    match run.state.as_str() {
        "succeeded" => Cell::new(format!("✓ {ago}")).fg(Color::Green),
        _ if run.is_failure() => Cell::new(format!("✗ {ago}")).fg(Color::Red),
        other => Cell::new(format!("{other} {ago}")).fg(Color::Yellow),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_run_is_a_sign_and_a_time_or_a_word_while_it_goes_on() {
        let now: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
        let shown = |state: &str, ended: Option<&str>| {
            let run = LastRun { state: state.into(), ended_at: ended.map(|at| at.parse().unwrap()) };
            last(Some(&run), now).content()
        };

        assert_eq!(shown("succeeded", Some("2026-11-21T09:56:00Z")), "✓ 4 min ago");
        assert_eq!(shown("failed", Some("2026-11-21T09:59:37Z")), "✗ 23 s ago");
        assert_eq!(shown("timed_out", Some("2026-11-21T10:00:00Z")), "✗ now");
        assert_eq!(shown("cancelled", Some("2026-11-21T09:56:00Z")), "cancelled 4 min ago");
        assert_eq!(shown("running", None), "running");
        assert_eq!(last(None, now).content(), "-");
    }
}

//! `tidemill groups`: pipelines that are rolled out together.

use crate::api::client::Path;
use crate::api::pages::PageOptions;
use crate::completion::names;
use crate::failure::{Exit, Failure};
use crate::output::table::{self, facts, or_dash, plain};
use crate::output::times::{both, relative};
use crate::rollouts::views::Group;
use crate::session::Session;
use comfy_table::Cell;

/// List the groups of pipelines that are rolled out together, or show one with its pipelines
///
/// A single pipeline that is deployed by itself has a group of its project's name, without members.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  tidemill groups\n  tidemill groups nightly")]
pub struct Args {
    /// Show this group, with its pipelines
    #[arg(conflicts_with_all = ["limit", "all", "cursor"], add = names::groups())]
    group: Option<String>,
    #[command(flatten)]
    wanted: PageOptions,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    if let Some(group) = args.group {
        return show(session, &group).await;
    }
    let list = args.wanted.fetch(&session.client()?, &Path::new(&["groups"])).await?;
    let columns = table::new(&["GROUP", "TITLE", "RUNNING", "LAST ROLLOUT", "UPDATED"]).gives_up(&[
        "TITLE",
        "RUNNING",
        "UPDATED",
        "LAST ROLLOUT",
    ]);
    let now = crate::output::times::now();
    list.print(session, "there is no group yet", columns, |table, group: Group| {
        table.add_row([
            Cell::new(plain(&group.group)),
            Cell::new(plain(&group.title)),
            or_dash(group.running),
            or_dash(group.last_rollout),
            Cell::new(relative(group.updated_at, now)),
        ]);
    })?;
    Ok(Exit::Done)
}

async fn show(session: &Session, group: &str) -> Result<Exit, Failure> {
    let answer = session.client()?.get(&Path::new(&["groups", group])).await?;
    if session.output.is_json() {
        session.output.answer(&answer.text);
        return Ok(Exit::Done);
    }
    let group: Group = answer.read()?;
    let now = crate::output::times::now();
    let mut rows = vec![("group", Cell::new(plain(&group.group)))];
    rows.extend((group.title != group.group).then(|| ("title", Cell::new(plain(&group.title)))));
    rows.extend(group.repository.map(|url| ("repository", Cell::new(plain(&url)))));
    rows.extend(group.running.map(|id| ("running", Cell::new(id))));
    rows.extend(group.last_rollout.map(|id| ("last rollout", Cell::new(id))));
    rows.push(("made", Cell::new(both(group.created_at, now))));
    rows.push(("updated", Cell::new(both(group.updated_at, now))));
    session.output.line(table::text(&facts(rows)));
    if !group.members.is_empty() {
        let mut members = table::new(&["PROJECT", "KNOWN AS"]);
        for member in &group.members {
            members.add_row([plain(&member.project), plain(&member.logical_id)]);
        }
        session.output.line(format_args!("\n{}", table::text(&members)));
    }
    Ok(Exit::Done)
}

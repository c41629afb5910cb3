//! `tidemill remove`: removes a deployment, or a whole group.

use crate::api::client::{Client, Path};
use crate::completion::names;
use crate::failure::{Exit, Failure};
use crate::output::asking::{agreed, can_ask};
use crate::output::table::{named, plain};
use crate::rollouts::begin::Request;
use crate::rollouts::carry::{Pace, carry_out};
use crate::rollouts::views::Group;
use crate::session::Session;
use reqwest::Method;
use serde::Deserialize;

/// Remove a deployment, or all of a group; versions, history and the hook's URL stay
///
/// On a terminal it asks first; in a script it does not. Deploying the project again continues its versions and history.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  tidemill remove orders --yes
  tidemill remove --group nightly --keep")]
pub struct Args {
    /// The project, as `tidemill list` shows it
    #[arg(required_unless_present = "group", conflicts_with = "group", add = names::projects())]
    project: Option<String>,
    /// Remove every pipeline of this group, by a rollout [default: only PROJECT]
    #[arg(long, value_name = "NAME", add = names::groups())]
    group: Option<String>,
    /// Keep the group's deployments, and remove only the group
    #[arg(long, conflicts_with = "project")]
    keep: bool,
    /// Remove without asking
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    pace: Pace,
}

/// Of the answer, what is printed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Removed {
    #[serde(default)]
    cancelled_runs: u64,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    if args.group.is_none() && args.pace.is_given() {
        let hint = "give `--group` to remove a group by a rollout, or leave the option out";
        return Err(Failure::argument("a project by itself is removed at once, without a rollout", hint));
    }
    let client = session.client()?;
    match (&args.project, &args.group) {
        (Some(project), _) => remove(session, &client, project, &args).await,
        (None, group) => remove_group(session, &client, group.as_deref().unwrap_or_default(), &args).await,
    }
}

async fn remove(session: &Session, client: &Client, project: &str, args: &Args) -> Result<Exit, Failure> {
    let path = Path::new(&["deployments", project]);
    if !args.yes && can_ask(session) {
        // A missing deployment is refused before any question.
        client.get(&path).await?;
        if !agreed(&format!("remove `{}`?", plain(project)))? {
            session.output.note("nothing was removed");
            return Ok(Exit::Failed);
        }
    }
    let answer = client.delete(&path).await?;
    let removed: Removed = answer.read()?;
    let cancelled = match removed.cancelled_runs {
        0 => String::new(),
        1 => "; 1 run that had not begun was cancelled".to_owned(),
        cancelled => format!("; {cancelled} runs that had not begun were cancelled"),
    };
    session.output.done(&answer.text, format_args!("removed `{}`{cancelled}", plain(project)));
    Ok(Exit::Done)
}

async fn remove_group(session: &Session, client: &Client, name: &str, args: &Args) -> Result<Exit, Failure> {
    let path = Path::new(&["groups", name]);
    if !args.yes && !args.keep && can_ask(session) {
        let group: Group = client.get(&path).await?.read()?;
        let members: Vec<&str> = group.members.iter().map(|one| one.project.as_str()).collect();
        let question = format!("remove the group `{}` with {}?", plain(name), named(&members));
        if !members.is_empty() && !agreed(&question)? {
            session.output.note("nothing was removed");
            return Ok(Exit::Failed);
        }
    }
    let path = if args.keep { path.with("keep", true) } else { path };
    let request = Request { method: Method::DELETE, path, body: None, group: name.to_owned(), prepared: &[] };
    carry_out(session, client, &request, &args.pace).await
}

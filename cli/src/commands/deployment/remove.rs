//! `tidemill remove`: takes a project off, or a whole group.

use crate::asking::{agreed, can_ask};
use crate::client::{Client, Path};
use crate::failure::{Exit, Failure};
use crate::rollouts::begin::Request;
use crate::rollouts::carry::{How, carry_out};
use crate::rollouts::views::Group;
use crate::session::Session;
use crate::table::{named, plain};
use reqwest::Method;

/// Take a project off, or all of a group; versions, history and the hook's URL stay
///
/// On a terminal it asks first. A script is not asked: what it removes can be deployed again, and goes on where it was.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  tidemill remove orders --yes
  tidemill remove --group nightly --keep")]
pub struct Args {
    /// The project, as `tidemill list` shows it
    #[arg(required_unless_present = "group", conflicts_with = "group")]
    project: Option<String>,
    /// Take every pipeline of this group off, by a rollout
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// Let the group's deployments stay, without the group
    #[arg(long, conflicts_with = "project")]
    keep: bool,
    /// Remove without a question
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    how: How,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    if args.group.is_none() && args.how.is_given() {
        let hint = "give `--group` for a rollout that takes a group off, or leave the option out";
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
        // Nobody is asked about what is not there.
        client.get(&path).await?;
        if !agreed(&format!("remove `{}`?", plain(project)))? {
            session.output.note("nothing was removed");
            return Ok(Exit::Failed);
        }
    }
    let answer = client.delete(&path).await?;
    session.output.done(&answer.text, format_args!("removed `{}`", plain(project)));
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
    let request = Request { method: Method::DELETE, path, body: None, group: name.to_owned() };
    carry_out(session, client, &request, &args.how).await
}

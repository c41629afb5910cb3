//! `tidemill deploy`: puts pipelines live, by a rollout.

use crate::asking::{agreed, can_ask};
use crate::client::{Client, Path};
use crate::deploying::{Settings, summary};
use crate::failure::{Exit, Failure};
use crate::pipeline_files::Prepared;
use crate::rollouts::begin::Request;
use crate::rollouts::carry::{How, Tell, carry, carry_out};
use crate::rollouts::views::{Group, Resource};
use crate::rollouts::wanted::{Named, Wanted, by_file};
use crate::rollouts::{git, preview, shown};
use crate::session::Session;
use crate::table::plain;
use crate::views::Deployment;
use reqwest::Method;
use std::collections::HashSet;
use std::path::PathBuf;
use tidemill_model::rollout::Gone;

/// Put a pipeline live, or every pipeline of a folder
///
/// A project that is not deployed yet is added; one that is gets the pipeline as a new version, if it differs, and
/// whatever else is given. The file is a pipeline, or `{"pipeline": {…}, "schedule": "*/5 * * * *", …}`; options count
/// more than what the file says. The pipeline is stored as it stands in the file, to the byte.
///
/// It is done by a rollout, which goes on in the plane also if this command does not. If a pipeline cannot run, nothing
/// is changed. Of one group there is one rollout at a time, and others wait for it. A single file is rolled out by
/// itself. A folder is a group, of its name: it is all that there is of the group, and --prune or --keep say what becomes
/// of pipelines that have gone from it. Several files or folders are a part of the group of the folder that all of them
/// are in.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  tidemill deploy digest.pipe --schedule '*/5 * * * *' --note 'first try'
  tidemill deploy pipelines/ --preview
  tidemill deploy pipelines/ --prune --yes
  tidemill deploy pipelines/ --group nightly --cancel-in-progress --json")]
pub struct Args {
    /// A file, or a folder with `*.pipe` and `*.json` files
    #[arg(value_name = "FILE_OR_FOLDER", required = true)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    settings: Settings,
    /// Fail if a project is deployed already
    #[arg(long)]
    create_only: bool,
    /// Let new deployments that have a schedule begin paused
    #[arg(long)]
    paused: bool,
    /// What the pipelines belong together under [default: the folder's name]
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// Remove the deployments of pipelines that have gone from the folder; a terminal is asked
    #[arg(long, conflicts_with = "keep")]
    prune: bool,
    /// Let pipelines that have gone from the folder stay deployed, out of the group
    #[arg(long)]
    keep: bool,
    /// Remove without a question
    #[arg(long, short)]
    yes: bool,
    /// Tell what would change, of graphs and of time, and change nothing
    #[arg(long)]
    preview: bool,
    /// Leave out the commit, branch and pull request that are kept with the versions
    #[arg(long)]
    no_git: bool,
    #[command(flatten)]
    how: How,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let client = session.client()?;
    let named = Named::new(args.paths.clone());
    let gone = gone(&args, &named)?;
    let prepared = named.prepared(session, &args.settings)?;
    let done = roll_out(session, &client, &args, &named, &prepared, gone).await;
    done.map_err(|failure| by_file(failure, &prepared))
}

async fn roll_out(
    session: &Session,
    client: &Client,
    args: &Args,
    named: &Named,
    prepared: &[Prepared],
    gone: Gone,
) -> Result<Exit, Failure> {
    let wanted = Wanted {
        group: named.group(args.group.as_deref())?,
        pipelines: prepared.iter().map(Into::into).collect(),
        gone,
        partial: !named.is_folder(),
        create_only: args.create_only,
        paused: args.paused,
        git: if args.no_git { None } else { git::at(&named.home()) },
    };
    if args.preview {
        return preview::show(session, client, &wanted, prepared).await;
    }
    if args.create_only {
        preview::check(client, &wanted).await?;
    }
    if let Some(group) = wanted.group.as_ref().filter(|_| named.is_folder())
        && !settle_what_is_gone(session, client, group.as_str(), prepared, args).await?
    {
        session.output.note("nothing was changed");
        return Ok(Exit::Failed);
    }
    prepared.iter().for_each(|one| session.output.warnings(&one.warnings()));
    let group = match (&wanted.group, prepared) {
        (None, [only]) => only.project.clone(),
        (group, _) => group.as_ref().map(ToString::to_string).unwrap_or_default(),
    };
    let path = Path::new(&["rollouts"]);
    let request = Request { method: Method::POST, path, body: Some(wanted.body()), group };
    match named {
        Named::File(_) => single(session, client, &request, &args.how).await,
        _ => carry_out(session, client, &request, &args.how).await,
    }
}

fn gone(args: &Args, named: &Named) -> Result<Gone, Failure> {
    match (args.prune, args.keep) {
        (false, false) => Ok(Gone::Leave),
        _ if !named.is_folder() => {
            let message = "`--prune` and `--keep` are for one folder, which is all that there is of its group";
            Err(Failure::argument(message, "name the folder, or leave the option out"))
        }
        (true, _) => Ok(Gone::Prune),
        (_, true) => Ok(Gone::Keep),
    }
}

/// Tells which members of the group are not in the folder; `false` if somebody does not want them removed.
async fn settle_what_is_gone(
    session: &Session,
    client: &Client,
    group: &str,
    prepared: &[Prepared],
    args: &Args,
) -> Result<bool, Failure> {
    let members = match client.get(&Path::new(&["groups", group])).await {
        Err(failure) if failure.exit == Exit::NotFound => return Ok(true),
        answer => answer?.read::<Group>()?.members,
    };
    let here: HashSet<&str> = prepared.iter().map(|one| one.project.as_str()).collect();
    let gone = members.iter().map(|member| member.project.as_str()).filter(|project| !here.contains(project));
    let gone: Vec<String> = gone.map(|project| format!("`{}`", plain(project))).collect();
    let names = gone.join(", ");
    match (gone.is_empty(), args.prune) {
        (true, _) => Ok(true),
        (_, true) if args.yes || !can_ask(session) => Ok(true),
        (_, true) => agreed(&format!("remove {names} of the group `{group}`?")),
        (_, false) if args.keep => Ok(true),
        (_, false) => {
            session.output.note(format_args!(
                "gone from the folder and still deployed: {names}; `--prune` removes them, `--keep` takes them out of the \
                 group `{group}`"
            ));
            Ok(true)
        }
    }
}

/// A single pipeline is told of with its schedule.
async fn single(session: &Session, client: &Client, request: &Request, how: &How) -> Result<Exit, Failure> {
    let Some(rollout) = carry(session, client, request, how, Tell::Caller).await? else { return Ok(Exit::Done) };
    if session.output.is_json() {
        return Ok(Exit::Done);
    }
    for resource in shown::resources(&rollout.items) {
        let more = more(client, &resource).await;
        let line = shown::resource(&resource);
        match more {
            Some(more) => session.output.line(format_args!("{}: {more}", line.split(": ").next().unwrap_or(&line))),
            None => session.output.line(line),
        }
    }
    Ok(Exit::Done)
}

/// When a deployment runs. That it cannot be told is no failure of the deploy.
async fn more(client: &Client, resource: &Resource) -> Option<String> {
    let answer = client.get(&Path::new(&["deployments", &resource.project])).await.ok()?;
    answer.read::<Deployment>().ok().map(|deployment| summary(&deployment))
}

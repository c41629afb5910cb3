//! `tidemill update`: changes a deployment.

use crate::api::client::{Client, Path};
use crate::api::views::Deployment;
use crate::completion::names;
use crate::deploy::files::prepare;
use crate::deploy::one_by_one::{self, summary};
use crate::deploy::settings::{LOST_NOTE, Settings};
use crate::failure::{Exit, Failure};
use crate::session::Session;
use std::path::PathBuf;

/// Change a deployment's pipeline, schedule or settings; what is not given stays as it is
#[derive(clap::Args)]
#[command(after_help = "Examples:
  tidemill update orders --schedule '0 6 * * mon-fri' --timezone Europe/Madrid
  tidemill update orders orders.pipe --note 'keep refunds'")]
pub struct Args {
    /// The project, as `tidemill list` shows it
    #[arg(add = names::projects())]
    project: String,
    /// The file with the new pipeline
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The same as FILE [default: the pipeline stays]
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    pipeline: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    args.settings.check_given()?;
    let file = args.file.as_ref().or(args.pipeline.as_ref());
    let wanted = file.map(|file| prepare(file, &args.settings)).transpose()?;
    let body = match &wanted {
        Some(wanted) => one_by_one::body(Some(&wanted.pipeline), &wanted.settings),
        None => one_by_one::body(None, &args.settings),
    };
    if body == "{}" {
        let hint = "give e.g. a FILE with the new pipeline, or `--schedule '@hourly'`";
        return Err(Failure::argument("there is nothing to change", hint));
    }
    let client = session.client()?;
    let path = Path::new(&["deployments", &args.project]);
    let before = match &args.settings.note {
        Some(_) => Some(version(&client, &path).await?),
        None => None,
    };
    let answer = client.patch(&path, body).await;
    let answer = answer.map_err(|failure| match &wanted {
        Some(wanted) => wanted.refused(failure),
        None => failure,
    })?;
    let deployment: Deployment = answer.read()?;
    session.output.done(&answer.text, format_args!("updated `{}`: {}", args.project, summary(&deployment)));
    session.output.warnings(&deployment.warnings);
    if before == Some(deployment.version) {
        session.output.note(LOST_NOTE);
    }
    Ok(Exit::Done)
}

async fn version(client: &Client, path: &Path) -> Result<u32, Failure> {
    Ok(client.get(path).await?.read::<Deployment>()?.version)
}

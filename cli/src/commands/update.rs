//! `tidemill update`: changes a deployment.

use crate::client::Path;
use crate::deploying::{self, Settings, summary};
use crate::failure::{Exit, Failure};
use crate::pipeline_files::prepare;
use crate::session::Session;
use crate::views::Deployment;
use std::path::PathBuf;

/// Change a deployment's pipeline, schedule or settings; what is not given stays as it is
#[derive(clap::Args)]
#[command(after_help = "Examples:
  tidemill update orders --schedule '0 6 * * mon-fri' --timezone Europe/Madrid
  tidemill update orders orders.pipe --note 'keep refunds'")]
pub struct Args {
    /// The project, as `tidemill list` shows it
    project: String,
    /// The file with the new pipeline
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The same as FILE
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    pipeline: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let body = match args.file.as_ref().or(args.pipeline.as_ref()) {
        Some(file) => {
            let wanted = prepare(file, &args.settings)?;
            deploying::body(Some(&wanted.pipeline), &wanted.settings)
        }
        None => deploying::body(None, &args.settings),
    };
    if body == "{}" {
        let hint = "give e.g. a FILE with the new pipeline, or `--schedule '@hourly'`";
        return Err(Failure::argument("there is nothing to change", hint));
    }
    let answer = session.client()?.patch(&Path::new(&["deployments", &args.project]), body).await?;
    let deployment: Deployment = answer.read()?;
    session.output.done(&answer.text, format_args!("updated `{}`: {}", args.project, summary(&deployment)));
    session.output.warnings(&deployment.warnings);
    Ok(Exit::Done)
}

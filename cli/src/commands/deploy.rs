//! `tidemill deploy`: puts pipelines live.

use crate::client::Client;
use crate::deploying::{self, Deployed, Settings};
use crate::failure::{Exit, Failure};
use crate::pipeline_files::{pipelines_at, prepare};
use crate::session::Session;
use crate::table::plain;
use crate::times::relative;
use crate::views::Deployment;
use futures::StreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use std::path::{Path, PathBuf};

/// Deploys that are under way at once.
const AT_ONCE: usize = 8;

/// Put a pipeline live, or every pipeline of a folder
///
/// A project that is not deployed yet is added; one that is gets the pipeline as a new version, if it differs, and
/// whatever else is given. The file is a pipeline, or `{"pipeline": {…}, "schedule": "*/5 * * * *", …}`; options count
/// more than what the file says. The pipeline is stored as it stands in the file, to the byte.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  tidemill deploy digest.pipe --schedule '*/5 * * * *' --note 'first try'
  tidemill deploy pipelines/ --json")]
pub struct Args {
    /// A file, or a folder with `*.pipe` and `*.json` files
    #[arg(value_name = "FILE_OR_FOLDER", required = true)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    settings: Settings,
    /// Fail if the project is deployed already
    #[arg(long)]
    create_only: bool,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let client = session.client()?;
    if let [path] = args.paths.as_slice()
        && !path.is_dir()
    {
        let deployed = deploying::deploy(&client, &prepare(path, &args.settings)?, args.create_only).await?;
        session.output.done(&deployed.text, sentence(&deployed));
        session.output.warnings(&deployed.deployment.warnings);
        return Ok(Exit::Done);
    }
    let mut files = Vec::new();
    for path in &args.paths {
        files.extend(pipelines_at(path)?);
    }
    if files.is_empty() {
        let message = "there is no pipeline in what was named";
        return Err(Failure::new("not_found", message)
            .hint("pipelines are in `*.pipe` and `*.json`")
            .exit(Exit::NotFound));
    }
    several(session, &client, &files, &args).await
}

async fn several(session: &Session, client: &Client, files: &[PathBuf], args: &Args) -> Result<Exit, Failure> {
    let bar = progress(session, files.len());
    let (mut items, mut failed) = (Vec::new(), None);
    let mut outcomes = deploy_all(client, files, &args.settings, args.create_only);
    while let Some((file, outcome)) = outcomes.next().await {
        bar.inc(1);
        bar.suspend(|| match outcome {
            Ok(deployed) => {
                session.output.note(sentence(&deployed));
                session.output.warnings(&deployed.deployment.warnings);
                items.extend(RawValue::from_string(deployed.text).ok());
            }
            Err(failure) => {
                failed.get_or_insert(failure.exit);
                session.output.failure(&failure.of_file(file));
            }
        });
    }
    bar.finish_and_clear();
    if session.output.is_json() {
        #[derive(Serialize)]
        struct All {
            items: Vec<Box<RawValue>>,
            next: Option<String>,
        }
        session.output.json(&All { items, next: None });
    }
    Ok(failed.unwrap_or(Exit::Done))
}

/// Deploys files, several at once; the outcomes come in the files' order.
pub fn deploy_all<'a>(
    client: &'a Client,
    files: &'a [PathBuf],
    settings: &'a Settings,
    create_only: bool,
) -> impl futures::Stream<Item = (&'a Path, Result<Deployed, Failure>)> + Unpin {
    let deploy = move |file: &'a PathBuf| async move {
        let outcome = match prepare(file, settings) {
            Ok(wanted) => deploying::deploy(client, &wanted, create_only).await,
            Err(failure) => Err(failure),
        };
        (file.as_path(), outcome)
    };
    Box::pin(futures::stream::iter(files).map(deploy).buffered(AT_ONCE))
}

fn progress(session: &Session, count: usize) -> ProgressBar {
    if !session.is_watched() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}").expect("the template is sound");
    ProgressBar::new(count as u64).with_style(style).with_message("deploying")
}

/// What a deploy came to, for a person.
pub fn sentence(deployed: &Deployed) -> String {
    let project = plain(&deployed.deployment.project);
    format!("{} `{project}`: {}", deployed.change.word(), summary(&deployed.deployment))
}

/// Version, schedule and next run in a line.
pub fn summary(deployment: &Deployment) -> String {
    let due = match deployment.schedule.as_str() {
        "manual" => "runs when it is called".to_owned(),
        schedule => format!("`{schedule}` {}", deployment.timezone),
    };
    let next = match (deployment.state.as_str(), deployment.next.first()) {
        ("active", Some(next)) => format!(", next {}", relative(*next, Timestamp::now())),
        ("active", None) => String::new(),
        (state, _) => format!(", {state}"),
    };
    format!("version {}, {due}{next}", deployment.version)
}

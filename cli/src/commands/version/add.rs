//! `tidemill versions add`: stores a pipeline as a project's next version.

use crate::api::client::Path;
use crate::api::views::Detail;
use crate::completion::names;
use crate::deploy::files::{Outer, read_file};
use crate::failure::{Exit, Failure};
use crate::output::table::plain;
use crate::session::Session;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::path::PathBuf;
use tidemill_model::pipeline::{Pipeline, Problem};

/// Store a pipeline as its project's next version, without putting it live
///
/// Only the pipeline of the file counts: schedules are set for each environment, with `tidemill env source`. With --env
/// the version is put live in an environment at once.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  tidemill versions add orders.pipe
  tidemill versions add orders.pipe --env staging --note 'reads the new feed'")]
pub struct Args {
    /// A pipeline, or `-` for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Put it live in this environment, too [default: nowhere]
    #[arg(long, value_name = "NAME", add = names::environments())]
    env: Option<String>,
    /// Why; kept with the version [default: none]
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

/// The pipeline travels as it stands in its file, to the byte.
#[derive(Serialize)]
struct Body<'a> {
    pipeline: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
}

#[derive(Deserialize)]
struct Added {
    version: u32,
    environment: Option<Deployed>,
}

#[derive(Deserialize)]
struct Deployed {
    #[serde(default)]
    warnings: Vec<Detail>,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let client = session.client()?;
    let (file, Outer { sent, .. }) = read_file(&args.file)?;
    let refused = |problems: Vec<Problem>| {
        let named = problems.into_iter().map(|problem| file.named(problem.into())).collect();
        Failure::details(&format!("`{}`", args.file.display()), named)
    };
    let project = Pipeline::parse(file.pipeline().get()).map_err(refused)?.project_id().to_string();
    let body = Body { pipeline: &sent, environment: args.env.as_deref(), note: args.note.as_deref() };
    let body = serde_json::to_string(&body).expect("texts are JSON");
    let answer = client.post(&Path::new(&["deployments", &project, "versions"]), Some(body)).await;
    let answer = answer.map_err(|failure| file.refused(failure))?;
    session.output.warnings(file.derived().as_slice());
    let added: Added = answer.read()?;
    session.output.warnings(&added.environment.map(|deployed| deployed.warnings).unwrap_or_default());
    let (project, number) = (plain(&project), added.version);
    match &args.env {
        None => {
            session.output.done(&answer.text, format_args!("added version {number} of `{project}`, live nowhere yet"))
        }
        Some(env) => {
            let sentence = format_args!("added version {number} of `{project}`, live in `{}`", plain(env)).to_string();
            session.output.done(&answer.text, sentence);
        }
    }
    Ok(Exit::Done)
}

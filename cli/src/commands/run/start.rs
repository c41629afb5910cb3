//! `tidemill run`: runs a deployment now.

use crate::api::client::{Client, Path};
use crate::api::retry;
use crate::api::views::{Deployment, Detail, Run};
use crate::completion::names;
use crate::failure::{Exit, Failure};
use crate::runs::follow::follow;
use crate::runs::screen::Lines;
use crate::runs::{self, given_input, result_text};
use crate::session::Session;
use serde::Serialize;
use serde_json::value::RawValue;
use tidemill_model::pipeline::{Component, Pipeline};
use tidemill_plan::Class;

/// Run a deployment now
///
/// With --follow it waits for the end: the log goes to standard error, the result to standard output (with --json: the
/// run with its result), and the exit code is 0 only if the run succeeded. Lines, and what each component counted, are shown while the
/// run goes on: after each step, and every ten seconds of a long one. A plane that is restarted is waited for.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  tidemill run orders --follow
  tidemill run echo --input 'hello' --follow
  tidemill run import --input @orders.json
  curl -s https://example.com/orders | tidemill run import --input -")]
pub struct Args {
    /// The project, as `tidemill list` shows it
    #[arg(add = names::projects())]
    project: String,
    /// The object for the pipeline's source: a text, `@FILE` for a file's content, `-` for standard input. What is
    /// JSON is handed over as JSON, anything else as text [default: none]
    #[arg(long, short, value_name = "TEXT|@FILE|-", allow_hyphen_values = true, add = names::input())]
    input: Option<String>,
    /// Wait for the end, show the log and the result
    #[arg(long, short)]
    follow: bool,
}

#[derive(Serialize)]
struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<Box<RawValue>>,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let client = session.client()?;
    let input = args.input.as_deref().map(given_input).transpose()?;
    if input.is_some() {
        warn_of_unread_input(session, &client, &args.project).await;
    }
    let body = serde_json::to_string(&Body { input }).expect("the input is JSON");
    let answer = client.post(&Path::new(&["deployments", &args.project, "runs"]), Some(body)).await?;
    let run: Run = answer.read()?;
    if !args.follow {
        session.output.done(&answer.text, format_args!("run `{}` of `{}` is {}", run.id, run.project, run.state));
        session.output.note(format_args!("follow it with `tidemill logs {} --follow`", run.id));
        return Ok(Exit::Done);
    }
    session.output.note(format_args!("run `{}` of `{}`", run.id, run.project));
    follow(session, &client, &run, Lines::Aside).await?;
    let answer = retry::read(&client, &runs::path(&run), |failure| session.output.trying_again(failure)).await?;
    let run: Run = answer.read()?;
    match session.output.is_json() {
        true => session.output.answer(&answer.text),
        false => show_end(session, &run),
    }
    Ok(if run.state == "succeeded" { Exit::Done } else { Exit::Failed })
}

/// Says so if no source of the pipeline takes an input. The run does not depend on it, so a failure is not reported.
async fn warn_of_unread_input(session: &Session, client: &Client, project: &str) {
    let answer = client.get(&Path::new(&["deployments", project])).await;
    let Ok(Some(pipeline)) = answer.and_then(|answer| Ok(answer.read::<Deployment>()?.pipeline)) else { return };
    let Ok(pipeline) = Pipeline::parse(pipeline.get()) else { return };
    let catalogue = tidemill_engine::catalogue();
    let class = |component: &Component| catalogue.get(&component.provider).map(|provider| provider.class);
    let starts = |component: &&Component| pipeline.source().is_none_or(|source| source == component.id);
    let sources: Vec<_> = pipeline.components().iter().filter(starts).collect();
    let only_makes_its_own =
        !sources.is_empty() && sources.iter().all(|source| !matches!(class(source), None | Some(Class::WaitingSource)));
    if only_makes_its_own {
        let hint = "start it at a `webhook` or a `chat`, or leave `--input` out".to_owned();
        let message = format!("no source of `{project}` takes an input, so `--input` has no effect");
        session.output.warnings(&[Detail { hint: Some(hint), ..Detail::of(message) }]);
    }
}

fn show_end(session: &Session, run: &Run) {
    session.output.note(runs::shown(run));
    if let Some(counts) = runs::counts(run).filter(|_| run.dropped > 0) {
        session.output.note(format_args!("\n{counts}"));
    }
    if let Some(result) = run.result.as_ref().and_then(|result| result_text(result.get())) {
        session.output.line(result);
    }
}

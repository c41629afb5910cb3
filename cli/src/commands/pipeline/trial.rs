//! `tidemill try`: runs a pipeline here, without a plane.

use crate::api::views::Detail;
use crate::deploy::files::{FileText, Outer, read_file};
use crate::failure::{Exit, Failure};
use crate::output::times::{self, duration};
use crate::process::Signals;
use crate::runs::given_input;
use crate::session::Session;
use crate::trial::files::Destination;
use crate::trial::report::{Report, text};
use crate::trial::{self, End};
use secrecy::SecretString;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tidemill_engine::{Folders, Host, Input, Masks, NetworkPolicy, Outbound, RunContext, RunFacts, RunInput, Untaken};
use tidemill_model::pipeline::Pipeline;
use tidemill_model::task::Trace;
use tidemill_plan::{Class, Plan, Start, Target};

/// Run a pipeline once, here and without a plane, and show what came to each component
///
/// Nothing is changed unless you say so: without --write, files are shown instead of written, and requests other than
/// GET, HEAD and OPTIONS are shown instead of sent. `dedupe` and `changed` start with an empty memory. A `${NAME}` in a
/// config gets its value by --env. Files are read below the file's own folder. The exit code is 1 if the run fails.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  tidemill try digest.yaml
  tidemill try hook.yaml --input '{\"action\": \"opened\"}' --header 'X-GitHub-Event: issues'
  tidemill try alert.yaml --env API_URL=https://example.com/status --env CHAT_TOKEN --write")]
pub struct Args {
    /// A pipeline or a deploy file, or `-` for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The object for the pipeline's source: a text, `@FILE` for a file's content, `-` for standard input. What is
    /// JSON is handed over as JSON, anything else as text [default: none]
    #[arg(long, short, value_name = "TEXT|@FILE|-", allow_hyphen_values = true)]
    input: Option<String>,
    /// A header of the request that brings the input, which programs see as `$object.headers` [default: none]
    #[arg(long, value_name = "NAME: VALUE", requires = "input")]
    header: Vec<String>,
    /// The value of a `${NAME}`; without `=VALUE`, that of the environment's variable NAME [default: none]
    #[arg(long, value_name = "NAME[=VALUE]")]
    env: Vec<String>,
    /// Start at this component [default: the pipeline's own source]
    #[arg(long, value_name = "COMPONENT")]
    source: Option<String>,
    /// Write files below DATA/files, and send every request
    #[arg(long)]
    write: bool,
    /// Stop it after this time [default: the file's `timeoutSeconds`, or 60s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    timeout: Option<Duration>,
    /// Let the pipeline call addresses of this machine and of the local network
    #[arg(long)]
    allow_private_network: bool,
    /// Let the pipeline read files below this folder, too [default: that of FILE]
    #[arg(long, value_name = "DIR")]
    allow_files: Vec<PathBuf>,
}

/// How long a trial may take that says nothing of it.
const LIMIT: Duration = Duration::from_secs(60);

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let mut signals = Signals::new()?;
    let (file, Outer { file: outer, .. }) = read_file(&args.file)?;
    let start = if args.input.is_some() { Start::Call } else { Start::Schedule };
    let target = Target { local: true, readable: None, private: None, start, source: args.source.as_deref() };
    let (pipeline, plan) = compiled(&args, &file, &target)?;
    warn(session, &args, &file, &plan);
    let given = given_values(&args.env)?;
    let (secrets, variables) = split(&plan, given, &args.file)?;
    let destination = match args.write {
        true => Destination::Kept(tidemill_local::outputs(&session.global.data)?),
        false => Destination::shown()?,
    };
    let masks = Masks::new(&secrets);
    let context = RunContext {
        run: facts(&pipeline),
        owner: None,
        input: run_input(&args, &plan)?,
        secrets,
        variables,
        seen: Arc::new(trial::memory::Memory::default()),
        now: Arc::new(times::now),
        host: Arc::new(host(&args, session, &destination)?),
        trace: Trace::Summary,
        listener: None,
    };
    let of_file = outer.options.get("timeoutSeconds").and_then(Value::as_u64).map(Duration::from_secs);
    let limit = args.timeout.or(of_file).unwrap_or(LIMIT);
    let (account, end) = trial::run(&plan, context, limit, &mut signals).await;
    let would_write = destination.would_write(&masks);
    let (state, result, failure) = ended(&file, &pipeline, end, limit);
    let result = result.as_deref();
    match session.output.is_json() {
        true => session.output.json(&Report {
            state,
            components: &account.components,
            log: &account.log,
            would_write: &would_write,
            result,
            error: failure.as_ref().and_then(|failure| failure.details.first()),
        }),
        false => session.output.line(text(&account, &would_write, result)),
    }
    match failure {
        None => Ok(Exit::Done),
        Some(failure) => Err(failure),
    }
}

fn compiled(args: &Args, file: &FileText, target: &Target) -> Result<(Pipeline, Plan), Failure> {
    let report = file.check(target);
    if !report.errors.is_empty() {
        return Err(Failure::details(&format!("`{}`", args.file.display()), report.errors));
    }
    let compiled = tidemill_plan::compile_text(file.pipeline().get(), tidemill_engine::catalogue(), target);
    let (pipeline, compiled) = compiled.expect("the check found no problem");
    Ok((pipeline, compiled.plan))
}

/// What is probably not meant. That no schedule starts it is no matter here.
fn warn(session: &Session, args: &Args, file: &FileText, plan: &Plan) {
    let target =
        Target { local: true, readable: None, private: None, start: Start::Unknown, source: args.source.as_deref() };
    session.output.warnings(&file.check(&target).warnings);
    let class = tidemill_engine::catalogue().get(&plan.source().provider).map(|provider| provider.class);
    let message = match (class, args.input.is_some()) {
        (Some(Class::WaitingSource), false) => "waits for an object, so the run has nothing to do",
        (Some(Class::Source), true) => "makes its own objects, so `--input` has no effect",
        _ => return,
    };
    let hint = match args.input.is_some() {
        true => "start it at a `webhook` or a `chat`, or leave `--input` out",
        false => "give one with `--input`",
    };
    let message = format!("the source `{}` {message}", plan.source().id);
    session.output.warnings(&[Detail { hint: Some(hint.to_owned()), ..Detail::of(message) }]);
}

fn facts(pipeline: &Pipeline) -> RunFacts {
    RunFacts {
        run_id: "trial".to_owned(),
        object: None,
        project: pipeline.project_id().to_string(),
        version: 0,
        attempt: 1,
        trigger: "manual".to_owned(),
        tick: Some(times::now()),
        previous_tick: None,
    }
}

/// The values by name, as the command line gives them.
fn given_values(given: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let mut values = BTreeMap::new();
    for one in given {
        let (name, value) = match one.split_once('=') {
            Some((name, value)) => (name, value.to_owned()),
            None => match std::env::var(one) {
                Ok(value) => (one.as_str(), value),
                Err(_) => {
                    let hint = format!("export it, or give `--env {one}=VALUE`");
                    return Err(Failure::argument(format!("the environment has no variable `{one}`"), hint));
                }
            },
        };
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            let hint = "write `--env NAME=VALUE`; names have letters, digits and `_`";
            return Err(Failure::argument(format!("`{name}` is no name"), hint));
        }
        values.insert(name.to_owned(), value);
    }
    Ok(values)
}

type Values = (BTreeMap<String, SecretString>, BTreeMap<String, String>);

/// RocketRide's own names are variables, all others secrets, which no output shows.
fn split(plan: &Plan, given: BTreeMap<String, String>, file: &Path) -> Result<Values, Failure> {
    let required = plan.nodes.iter().flat_map(|node| tidemill_engine::required_secrets(&node.config));
    let missing: BTreeSet<String> = required.filter(|name| !given.contains_key(name)).collect();
    if let Some(name) = missing.first() {
        let names: Vec<String> = missing.iter().map(|name| format!("`${{{name}}}`")).collect();
        let message = format!("`{}` needs {}, which nothing gives", file.display(), names.join(", "));
        let hint = format!("give it with `--env {name}=VALUE`, or with `--env {name}` from the environment");
        return Err(Failure::new("invalid_argument", message).hint(hint));
    }
    let (variables, secrets): (BTreeMap<_, _>, BTreeMap<_, _>) =
        given.into_iter().partition(|(name, _)| name.starts_with("ROCKETRIDE_"));
    Ok((secrets.into_iter().map(|(name, value)| (name, SecretString::from(value))).collect(), variables))
}

fn run_input(args: &Args, plan: &Plan) -> Result<RunInput, Failure> {
    let Some(given) = &args.input else { return Ok(RunInput::Nothing) };
    let value = given_input(given)?;
    let input = match serde_json::from_str::<String>(value.get()) {
        Ok(text) => Input::new("text/plain", text.into_bytes()),
        Err(_) => Input::new("application/json", value.get().as_bytes().to_vec()),
    };
    let input = Input { meta: request_facts(&args.header)?, ..input };
    match tidemill_engine::check_input(plan, &input) {
        Ok(()) => Ok(RunInput::Whole(input)),
        Err(Untaken::Content(malformed)) => Err(Failure::argument(malformed.message, malformed.hint)),
        Err(Untaken::Type { given, taken }) => {
            let message = format!("the source `{}` takes no `{given}`", plan.source().id);
            Err(Failure::argument(message, format!("it takes {}", taken.join(", "))))
        }
    }
}

/// What an object of a webhook knows of its request.
fn request_facts(headers: &[String]) -> Result<Value, Failure> {
    let mut fields = Map::new();
    for header in headers {
        let Some((name, value)) = header.split_once(':') else {
            let hint = "write it as `--header 'X-GitHub-Event: issues'`";
            return Err(Failure::argument(format!("`{header}` is no header"), hint));
        };
        fields.insert(name.trim().to_ascii_lowercase(), value.trim().into());
    }
    Ok(json!({ "method": "POST", "headers": fields, "query": {} }))
}

fn host(args: &Args, session: &Session, destination: &Destination) -> Result<Host, Failure> {
    let mut readable = args.allow_files.clone();
    readable.push(match args.file.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    });
    let policy = match args.allow_private_network {
        true => NetworkPolicy::AllowPrivate,
        false => NetworkPolicy::Public,
    };
    let outbound = Outbound::new(policy).map_err(|error| Failure::new("internal", error.to_string()))?;
    let outbound = if args.write { outbound } else { outbound.withhold_writes() };
    let private = Some(session.global.data.clone());
    Ok(Host { folders: Some(Folders { readable, writable: destination.folder()?, private }), outbound })
}

/// The state, the result and the failure of a trial.
fn ended(
    file: &FileText,
    pipeline: &Pipeline,
    end: End,
    limit: Duration,
) -> (&'static str, Option<Box<RawValue>>, Option<Failure>) {
    match end {
        End::Succeeded(result) => ("succeeded", RawValue::from_string(result).ok(), None),
        End::Failed(error) => {
            let at = pipeline.components().iter().position(|one| Some(&one.id) == error.component.as_ref());
            let field = at.map(|at| format!("/components/{at}"));
            let detail = Detail {
                field,
                component: error.component.clone(),
                hint: error.hint.clone(),
                ..Detail::of(error.to_string())
            };
            let failure = Failure::new("run_failed", error.to_string());
            let failure = Failure { hint: error.hint, details: vec![file.named(detail)], ..failure };
            ("failed", None, Some(failure))
        }
        End::TimedOut => {
            let message = format!("the run took longer than {}", times::seconds(limit.as_secs() as i64));
            let failure = Failure::new("run_failed", message.clone()).hint("give it more time with `--timeout`");
            ("timed_out", None, Some(Failure { details: vec![Detail::of(message)], ..failure }))
        }
        End::Interrupted => {
            ("interrupted", None, Some(Failure::new("interrupted", "the run was stopped").exit(Exit::Interrupted)))
        }
    }
}

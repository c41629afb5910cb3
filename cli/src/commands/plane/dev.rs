//! `tidemill dev`: a whole plane in this process, until Ctrl-C.

use crate::api::client::Client;
use crate::api::connection::Connection;
use crate::deploy::files::pipelines_at;
use crate::deploy::one_by_one::{Change, deploy_all, sentence};
use crate::deploy::watch::Watch;
use crate::failure::{Exit, Failure};
use crate::global::Global;
use crate::log::{self, LogFormat};
use crate::output::times::duration;
use crate::process::{Signals, address};
use crate::session::Session;
use futures::StreamExt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tidemill_local::engine::Program;
use tidemill_local::{Local, Options};
use tidemill_model::calendar::Calendar;

/// More deployments than these are counted and not named.
const NAMED: usize = 50;

/// Start a whole plane on this machine, until Ctrl-C
///
/// Everything is in the data folder (--data), and the next start continues from there, even after a crash. When the plane
/// answers, it prints `ready http://…` on standard output. The key of the owner `dev` is in DATA/key, where the other
/// commands look for it. The log goes to standard error; TIDEMILL_LOG or RUST_LOG set its level, e.g. `debug`, and of
/// libraries only warnings are shown.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  tidemill dev --deploy examples
  tidemill dev --deploy pipelines --watch
  tidemill dev --deploy digest.pipe --minute 1 --data /tmp/trial --listen 127.0.0.1:0")]
pub struct Args {
    /// Where the plane answers: an address, or a port of this machine; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:5565", value_parser = address)]
    listen: SocketAddr,
    /// Answer to this name, too, where the plane listens on this machine alone [default: localhost and its addresses]
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
    /// Deploy this pipeline, or every one below this folder (`*.pipe`, `*.json`, `*.jsonc`, `*.yaml`, `*.yml`), and let pipelines read files there, now and at later starts (DATA/readable.json) [default: none]
    #[arg(long, value_name = "FILE_OR_FOLDER")]
    deploy: Vec<PathBuf>,
    /// Deploy a file again when it changes; a broken one is reported, and its live version stays
    #[arg(long, requires = "deploy")]
    watch: bool,
    /// Refuse pipelines with warnings, too
    #[arg(long, requires = "deploy")]
    strict: bool,
    /// How long a schedule's minute lasts, in seconds (0.1 to 60) or as `500ms`, to try schedules out [default: 60]
    #[arg(long, value_name = "SECONDS", value_parser = minute)]
    minute: Option<Duration>,
    /// Let pipelines call addresses of this machine and of the local network
    #[arg(long)]
    allow_private_network: bool,
    /// Let pipelines read files below this folder [default: only those of --deploy]
    #[arg(long, value_name = "DIR")]
    allow_files: Vec<PathBuf>,
    /// The form of the log [default: for people on a terminal, else `text`]
    #[arg(long, value_name = "FORMAT", value_enum)]
    log_format: Option<LogFormat>,
}

fn minute(text: &str) -> Result<Duration, String> {
    let minute = duration(text)?;
    let is_allowed = Calendar::with_minute(minute).is_some();
    is_allowed.then_some(minute).ok_or_else(|| "a schedule's minute lasts 0.1 to 60 seconds".to_owned())
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    log::start(args.log_format)?;
    let mut signals = Signals::new()?;
    for path in &args.deploy {
        std::fs::metadata(path).map_err(|error| Failure::file("deploy", path, &error))?;
    }
    let options = Options {
        program: Program::this(),
        listen: args.listen,
        host: args.host.clone(),
        data: session.global.data.clone(),
        minute: args.minute,
        allow_private_network: args.allow_private_network,
        readable: args.allow_files.clone(),
        readable_from_now: readable(&args),
    };
    let local = Local::start(options).await?;
    session.output.line(format_args!("ready {}", local.url()));
    session
        .output
        .report(format_args!("the key of the owner `dev` is in `{}`", session.global.data.join("key").display()));
    tokio::select! {
        () = deploy(session, &local, &args) => signals.first().await,
        () = signals.first() => {}
    }
    session.output.report("stopping; Ctrl-C again stops at once");
    tokio::select! {
        () = local.stop() => Ok(Exit::Done),
        () = signals.first() => std::process::exit(Exit::Interrupted as i32),
    }
}

/// The folders of what is deployed.
fn readable(args: &Args) -> Vec<PathBuf> {
    let folder_of = |path: &PathBuf| match path.is_dir() {
        true => path.clone(),
        false => match path.parent() {
            Some(parent) if parent != Path::new("") => parent.to_owned(),
            _ => PathBuf::from("."),
        },
    };
    args.deploy.iter().map(folder_of).collect()
}

/// Deploys over the plane's own API, and with `--watch` again whenever a file changes.
async fn deploy(session: &Session, local: &Local, args: &Args) {
    if args.deploy.is_empty() {
        return;
    }
    let global = Global { url: Some(local.url()), key: Some(local.key().to_owned()), ..session.global.clone() };
    let client = match Connection::new(&global).and_then(Client::new) {
        Ok(client) => client,
        Err(failure) => return session.output.failure(&failure),
    };
    // It watches before the first deploy, so that no change falls between the two.
    let watch = args.watch.then(|| Watch::new(&args.deploy)).transpose();
    let mut files = Vec::new();
    for path in &args.deploy {
        match pipelines_at(path) {
            Ok(found) => files.extend(found),
            Err(failure) => session.output.failure(&failure),
        }
    }
    let counts = deploy_files(session, &client, &files, args.strict).await;
    session.output.report(counts.sentence());
    match watch {
        Ok(Some(watch)) => follow(session, &client, watch, args.strict).await,
        Ok(None) => {}
        Err(failure) => session.output.failure(&failure),
    }
}

/// Deploys what changes, until the command is stopped. A file that cannot be deployed leaves its live version as it is.
async fn follow(session: &Session, client: &Client, mut watch: Watch, strict: bool) {
    session.output.report("watching the files; a change is deployed when it is saved");
    loop {
        let difference = watch.next().await;
        for file in &difference.removed {
            let name = file.display();
            session.output.report(format_args!("`{name}` was removed; its deployment stays until `tidemill remove`"));
        }
        deploy_files(session, client, &difference.changed, strict).await;
    }
}

/// Refusals are reported, and the plane runs without those pipelines.
async fn deploy_files(session: &Session, client: &Client, files: &[PathBuf], strict: bool) -> Counts {
    let mut counts = Counts::default();
    let mut outcomes = deploy_all(client, files, strict);
    while let Some(outcome) = outcomes.next().await {
        match outcome {
            Ok(deployed) => {
                counts.add(deployed.change);
                if files.len() <= NAMED {
                    session.output.report(sentence(&deployed));
                    session.output.warnings(&deployed.notes);
                    session.output.warnings(&deployed.deployment.warnings);
                }
            }
            Err(failure) => {
                counts.refused += 1;
                session.output.failure(&failure);
            }
        }
    }
    counts
}

#[derive(Default)]
struct Counts {
    added: usize,
    updated: usize,
    unchanged: usize,
    refused: usize,
}

impl Counts {
    fn add(&mut self, change: Change) {
        match change {
            Change::Added => self.added += 1,
            Change::Updated => self.updated += 1,
            Change::Unchanged => self.unchanged += 1,
        }
    }

    fn sentence(&self) -> String {
        let Counts { added, updated, unchanged, refused } = self;
        format!("{added} deployed, {updated} updated, {unchanged} unchanged, {refused} refused")
    }
}

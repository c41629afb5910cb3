//! The command line: every command, and the options that all of them take.

use crate::commands::{
    cancel, completions, deploy, dev, doctor, gateway, groups, keys, list, logs, pause, providers, remove, resume,
    rollout, rollouts, run, runs, schedule, secrets, status, tasks, ticks, update, validate, versions, why,
};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

const AFTER_HELP: &str = "\
Start here:
  tidemill dev --deploy examples   start a plane here, with what is in `examples`
  tidemill list                    in another terminal: what runs when

The plane and the key:
  Commands talk to the plane at --url or TIDEMILL_URL, with the key in --key or
  TIDEMILL_KEY. Without them they talk to the plane of `tidemill dev` at
  http://127.0.0.1:5565, with the key that it keeps in `.tidemill/key` (or in
  the folder that --data names).

Exit codes:
  0    done
  1    what was asked for failed: the run failed, findings are left, the plane
       refused the request
  2    the command line is wrong
  3    not found
  4    not authenticated, or the key may not do this
  5    a conflict, or the state of things must be changed first
  6    the plane cannot be reached, or is not available
  130  interrupted";

/// Keeps data and automation pipelines deployed: stored by version, run on a schedule, by webhook or on demand.
#[derive(Parser)]
#[command(
    name = "tidemill",
    bin_name = "tidemill",
    version,
    after_long_help = AFTER_HELP,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Args, Clone)]
pub struct Global {
    /// Print JSON: the answer on standard output, an error on standard error
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub json: bool,
    /// The plane [default: TIDEMILL_URL, or http://127.0.0.1:5565]
    #[arg(long, global = true, value_name = "URL", help_heading = "Everywhere")]
    pub url: Option<String>,
    /// The API key [default: TIDEMILL_KEY, or the one in DATA/key for a plane on this machine]
    #[arg(long, global = true, value_name = "KEY", help_heading = "Everywhere")]
    pub key: Option<String>,
    /// The data folder of a plane on this machine
    #[arg(long, global = true, value_name = "DIR", default_value = ".tidemill", help_heading = "Everywhere")]
    pub data: PathBuf,
}

/// The variables are read here and not by clap, which would list them in every `Usage:` as if they had to be given.
impl Global {
    pub fn url(&self) -> Option<String> {
        self.url.clone().or_else(|| std::env::var("TIDEMILL_URL").ok())
    }

    pub fn key(&self) -> Option<String> {
        self.key.clone().or_else(|| std::env::var("TIDEMILL_KEY").ok())
    }
}

#[derive(Subcommand)]
pub enum Command {
    Dev(dev::Args),
    Gateway(gateway::Args),
    Deploy(deploy::Args),
    List(list::Args),
    Status(status::Args),
    Update(update::Args),
    Pause(pause::Args),
    Resume(resume::Args),
    Remove(remove::Args),
    Rollouts(rollouts::Args),
    Rollout(rollout::Args),
    Groups(groups::Args),
    Versions(versions::Args),
    Run(run::Args),
    Runs(runs::Args),
    Logs(logs::Args),
    Cancel(cancel::Args),
    Tasks(tasks::Args),
    Ticks(ticks::Args),
    Why(why::Args),
    Doctor(doctor::Args),
    Keys(keys::Args),
    Secrets(secrets::Args),
    Validate(validate::Args),
    Providers(providers::Args),
    Schedule(schedule::Args),
    Completions(completions::Args),
}

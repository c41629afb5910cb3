//! The options that many commands share, and which command takes which of them.

use crate::failure::Failure;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use std::ffi::OsString;
use std::path::PathBuf;

/// The heading of these options in a command's help.
pub const HEADING: &str = "Common options";

/// The shared options, as they were given.
#[derive(Args, Clone)]
#[command(next_help_heading = HEADING)]
pub struct Global {
    /// Print JSON: the answer on standard output, an error on standard error
    #[arg(long)]
    pub json: bool,
    /// Print what this jq program gives of the JSON, texts without quotes; means --json, too
    #[arg(long, value_name = "PROGRAM")]
    pub jq: Option<String>,
    /// Show and read times in UTC [default: in the zone of TZ, or in UTC]
    #[arg(long)]
    pub utc: bool,
    /// Show and read times in this machine's zone
    #[arg(long, conflicts_with = "utc")]
    pub local: bool,
    /// The plane [default: TIDEMILL_URL, or http://127.0.0.1:5565]
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// The API key [default: TIDEMILL_KEY, or the one in DATA/key for a plane on this machine]
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    pub key: Option<String>,
    /// The data folder of a plane on this machine
    #[arg(long, value_name = "DIR", default_value = ".tidemill")]
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

    /// Collects the options of all levels of a command line: `tidemill --json list` is `tidemill list --json`.
    ///
    /// # Errors
    /// One is given before a command on which it has no effect.
    pub fn of(matches: &ArgMatches) -> Result<Global, Failure> {
        let (mut names, mut level, mut levels) = (vec!["tidemill"], matches, vec![matches]);
        while let Some((name, below)) = level.subcommand() {
            names.push(name);
            levels.push(below);
            level = below;
        }
        let words = levels.iter().flat_map(|level| given(level)).collect::<Vec<_>>();
        for (id, _) in &words {
            if level.try_contains_id(id).is_err() {
                let message = format!("`--{id}` has no effect on `{}`", names.join(" "));
                return Err(Failure::argument(message, "leave it out"));
            }
        }
        let line = std::iter::once(OsString::from("tidemill")).chain(words.into_iter().flat_map(|(_, words)| words));
        let read = Global::augment_args(Command::new("tidemill")).args_override_self(true).try_get_matches_from(line);
        let read = read.and_then(|matches| Global::from_arg_matches(&matches));
        read.map_err(|error| Failure::usage(&error))
    }
}

/// The shared options that stand at a level, as they would be written.
fn given(level: &ArgMatches) -> Vec<(&'static str, Vec<OsString>)> {
    let stands =
        |id: &str| level.try_contains_id(id).is_ok() && level.value_source(id) == Some(ValueSource::CommandLine);
    let mut words = Vec::new();
    for id in ["json", "utc", "local"] {
        if stands(id) && level.get_flag(id) {
            words.push((id, vec![format!("--{id}").into()]));
        }
    }
    for id in ["jq", "url", "key"] {
        if stands(id) {
            words.extend(level.get_one::<String>(id).map(|text| (id, vec![format!("--{id}={text}").into()])));
        }
    }
    if stands("data") {
        let folder = level.get_one::<PathBuf>("data");
        words.extend(folder.map(|folder| ("data", vec!["--data".into(), folder.clone().into()])));
    }
    words
}

/// Adds to each command the shared options that act on it.
pub fn with_options(root: Command) -> Command {
    let options: Vec<Arg> = Global::augment_args(Command::new("tidemill")).get_arguments().cloned().collect();
    let root = root.args(&options);
    below(root, &mut Vec::new(), &options)
}

fn below(command: Command, path: &mut Vec<String>, options: &[Arg]) -> Command {
    command.mut_subcommands(|one| {
        path.push(one.get_name().to_owned());
        let names: Vec<&str> = path.iter().map(String::as_str).collect();
        let acting = options.iter().filter(|option| acts(option.get_id().as_str(), &names)).cloned();
        let one = one.args(acting.collect::<Vec<_>>());
        let one = below(one, path, options);
        path.pop();
        one
    })
}

/// Whether an option has any effect on a command.
fn acts(option: &str, command: &[&str]) -> bool {
    match (option, command) {
        ("data", ["dev" | "try"]) => true,
        (_, ["completions" | "exit-codes" | "gateway", ..]) => false,
        ("utc" | "local", _) => shows_times(command),
        (_, ["dev"]) => false,
        ("url" | "key" | "data", ["init" | "try" | "schema" | "validate" | "providers" | "schedule", ..]) => false,
        _ => true,
    }
}

/// Whether a command shows an instant or reads one. Others show only how long ago something was.
fn shows_times(command: &[&str]) -> bool {
    matches!(
        command,
        ["dev"
            | "env"
            | "groups"
            | "keys"
            | "logs"
            | "rollout"
            | "run"
            | "runs"
            | "schedule"
            | "status"
            | "tail"
            | "ticks"]
            | ["versions" | "why"]
            | ["runs" | "schedule", _]
            | ["env" | "rollout" | "versions", "show"]
            | ["keys", "create"]
    )
}

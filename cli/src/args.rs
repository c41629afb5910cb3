//! The whole command line, and the help that stands around the commands.

use crate::commands::Command;
use crate::global;
use clap::{CommandFactory, Parser};

const AFTER_HELP: &str = "\
Start here:
  tidemill init                    write a pipeline to start from, which
                                   `tidemill try hello.yaml` runs once
  tidemill dev --deploy examples   start a plane here with the pipelines of `examples`
  tidemill list                    in another terminal: what runs when

The plane and the key:
  Commands talk to the plane at --url or TIDEMILL_URL, with the key in --key or
  TIDEMILL_KEY. Without them they talk to the plane of `tidemill dev` at
  http://127.0.0.1:5565, with the key that it keeps in `.tidemill/key` (or in
  the folder that --data names).

Times:
  A due time that stands beside its schedule is in the schedule's own zone. All
  other times, shown or given, are in the zone that TZ names, and without TZ in
  UTC; --utc and --local (this machine's zone) override it. The zone's name
  stands beside each time or in the column's heading. JSON is always in UTC.

JSON:
  It is what the plane answers. A field is always there: null where it has no
  value, [] where it is an empty list. Left out are details that a list does
  not show, such as pipelines, and parts of errors, warnings and log lines. A
  deployment's `hook` is a path in JSON, and the whole URL in text.

Names:
  An id may be given by its beginning, in upper or lower case. `tidemill help
  completions` says how a shell completes names.

The exit codes: tidemill help exit-codes";

/// What stands above the options, in which the list of commands is put.
const TEMPLATE: &str = "{about-with-newline}\n{usage-heading} {usage}\n\nCOMMANDSOptions:\n{options}{after-help}";

/// The headings of the list of commands.
const GROUPS: &[(&str, &[&str])] = &[
    ("Write", &["init", "try", "validate", "providers", "schema"]),
    ("Deploy", &["deploy", "list", "status", "update", "pause", "resume", "remove", "rollouts", "rollout", "groups"]),
    ("Runs", &["run", "runs", "logs", "tail", "cancel", "tasks"]),
    ("Schedules", &["schedule", "ticks", "why"]),
    ("Environments", &["versions", "env", "promote", "rollback"]),
    ("Access", &["whoami", "keys", "secrets"]),
    ("Plane", &["dev", "doctor", "gateway"]),
    ("Help", &["help", "exit-codes", "completions"]),
];
const REST: &str = "More";

/// Columns of the help where there is no terminal, and the most where there is one.
const WIDTH: usize = 100;

/// Keeps data and automation pipelines deployed: stored by version, run on a schedule, by webhook or on demand.
#[derive(Parser)]
#[command(
    name = "tidemill",
    bin_name = "tidemill",
    version,
    after_long_help = AFTER_HELP,
    arg_required_else_help = true,
    max_term_width = WIDTH
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// The whole command line: its commands, their options and help.
pub fn grammar() -> clap::Command {
    let columns = console::Term::stdout().size_checked().map_or(WIDTH, |(_, columns)| usize::from(columns));
    grammar_at(columns.min(WIDTH))
}

/// The same with a help of so many columns.
pub fn grammar_at(columns: usize) -> clap::Command {
    let root = global::with_options(Cli::command());
    let template = TEMPLATE.replace("COMMANDS", &list(&root, columns));
    root.help_template(template).term_width(columns)
}

/// The commands by what they are about, each with a sentence.
fn list(root: &clap::Command, columns: usize) -> String {
    let mut left: Vec<(String, String)> = root.get_subcommands().filter(|one| !one.is_hide_set()).map(entry).collect();
    left.push(("help".to_owned(), "Show the help of a command, or this one".to_owned()));
    let wide = left.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut text = String::new();
    let mut add = |heading: &str, entries: &[(String, String)]| {
        if !entries.is_empty() {
            let lines: String = entries.iter().map(|(name, about)| line(name, about, wide, columns)).collect();
            text.push_str(&format!("{heading}:\n{lines}\n"));
        }
    };
    for (heading, names) in GROUPS {
        let mut entries = Vec::new();
        for name in *names {
            if let Some(at) = left.iter().position(|(entry, _)| entry.split(',').next() == Some(name)) {
                entries.push(left.remove(at));
            }
        }
        add(heading, &entries);
    }
    add(REST, &left);
    text
}

/// `list, ls` and what it does.
fn entry(command: &clap::Command) -> (String, String) {
    let aliases = command.get_visible_aliases().map(|alias| format!(", {alias}"));
    let name = std::iter::once(command.get_name().to_owned()).chain(aliases).collect::<String>();
    (name, command.get_about().map(ToString::to_string).unwrap_or_default())
}

/// A name and a sentence, which goes on below itself.
fn line(name: &str, about: &str, wide: usize, columns: usize) -> String {
    let room = columns.saturating_sub(wide + 4).max(20);
    let mut lines = vec![String::new()];
    for word in about.split_whitespace() {
        let last = lines.last_mut().expect("there is a line");
        match last.is_empty() {
            true => last.push_str(word),
            false if last.chars().count() + 1 + word.chars().count() <= room => *last = format!("{last} {word}"),
            false => lines.push(word.to_owned()),
        }
    }
    let indent = format!("\n{:wide$}    ", "");
    format!("  {name:wide$}  {}\n", lines.join(&indent))
}

//! The whole command line, and the help that stands around the commands.

use crate::commands::Command;
use crate::global::Global;
use clap::Parser;

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

The exit codes: tidemill help exit-codes";

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

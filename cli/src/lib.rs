//! The `tidemill` command: `dev` starts a whole plane on this machine, `gateway` the front door of one in AWS,
//! everything else is a client of a plane.
//!
//! [`args`] lists the commands, [`commands`] has one file for each, [`api`] talks to the plane, [`output`] is what people
//! and scripts see, [`failure`] is how a command fails and with which exit code. [`deploy`], [`rollouts`], [`runs`] and
//! [`schedule`] hold what several commands share, [`completion`] answers a shell that completes names; [`trial`] runs a pipeline
//! without a plane, [`templates`] are pipelines to start from.

#![expect(clippy::doc_markdown, reason = "clap prints doc comments as they stand")]

mod api;
mod args;
mod commands;
mod completion;
mod deploy;
mod failure;
mod global;
mod log;
mod output;
mod process;
mod rollouts;
mod runs;
mod schedule;
mod session;
mod templates;
mod trial;

use crate::api::suggestion::with_suggestion;
use crate::args::Cli;
use crate::commands::Command;
use crate::failure::{Exit, Failure};
use crate::global::Global;
use crate::output::Output;
use crate::session::Session;
use clap::FromArgMatches;
use std::process::ExitCode;
use tidemill_local::engine::Program;

pub use args::{grammar, grammar_at};

/// Runs the command that the process's arguments name, or completes them for a shell. An engine process serves its plane instead.
pub fn run() -> ExitCode {
    Program::this();
    completion::answer(grammar);
    let matches = match grammar().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return refused_arguments(&error).into(),
    };
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => return refused_arguments(&error.format(&mut grammar())).into(),
    };
    let session = match Global::of(&matches).and_then(Session::new) {
        Ok(session) => session,
        Err(failure) => {
            Output::new(wants_json()).failure(&failure);
            return failure.exit.into();
        }
    };
    let done = runtime(&cli.command).and_then(|runtime| runtime.block_on(run_command(&session, cli.command)));
    match done {
        Ok(exit) => exit.into(),
        Err(failure) => {
            session.output.failure(&failure);
            failure.exit.into()
        }
    }
}

async fn run_command(session: &Session, command: Command) -> Result<Exit, Failure> {
    match commands::run(session, command).await {
        Err(failure) => Err(with_suggestion(session, failure).await),
        done => done,
    }
}

/// A plane uses all cores; a client waits for one answer at a time.
fn runtime(command: &Command) -> Result<tokio::runtime::Runtime, Failure> {
    let mut builder = match command {
        Command::Dev(_) | Command::Gateway(_) => tokio::runtime::Builder::new_multi_thread(),
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    builder.enable_all().build().map_err(|error| Failure::new("internal", format!("cannot start: {error}")))
}

/// Shows help, the version, or what is wrong with the arguments.
fn refused_arguments(error: &clap::Error) -> Exit {
    if !error.use_stderr() {
        // Help that cannot be written has no reader.
        _ = error.print();
        return Exit::Done;
    }
    match wants_json() {
        true => Output::new(true).failure(&Failure::usage(error)),
        false => _ = error.print(),
    }
    Exit::Usage
}

/// Whether JSON is asked for, before the arguments are understood.
fn wants_json() -> bool {
    let asks = |argument: std::ffi::OsString| {
        let argument = argument.to_string_lossy();
        argument == "--json" || argument == "--jq" || argument.starts_with("--jq=")
    };
    std::env::args_os().any(asks)
}

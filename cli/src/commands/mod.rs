//! One file per command: its options, its help, what it does.

pub mod caller;
pub mod completions;
pub mod deployment;
pub mod environment;
pub mod exit_codes;
pub mod group;
pub mod key;
pub mod pipeline;
pub mod plane;
pub mod rollout;
pub mod run;
pub mod schedule;
pub mod secret;
pub mod task;
pub mod tick;
pub mod version;

use crate::failure::{Exit, Failure};
use crate::session::Session;

use clap::Subcommand;

#[derive(Subcommand)]
pub enum Command {
    Dev(plane::dev::Args),
    Gateway(plane::gateway::Args),
    Deploy(deployment::deploy::Args),
    #[command(visible_alias = "ls")]
    List(deployment::list::Args),
    Status(deployment::status::Args),
    Update(deployment::update::Args),
    Pause(deployment::pause::Args),
    Resume(deployment::resume::Args),
    #[command(visible_alias = "rm")]
    Remove(deployment::remove::Args),
    Rollouts(rollout::list::Args),
    Rollout(rollout::show::Args),
    Groups(group::Args),
    Versions(version::Args),
    Env(environment::Args),
    Promote(environment::promote::Args),
    Rollback(environment::rollback::Args),
    Run(run::start::Args),
    Runs(run::show::Args),
    Logs(run::logs::Args),
    Tail(run::tail::Args),
    Cancel(run::cancel::Args),
    Tasks(task::Args),
    Ticks(tick::ticks::Args),
    Why(tick::why::Args),
    Doctor(plane::doctor::Args),
    Keys(key::Args),
    Whoami(caller::Args),
    Secrets(secret::Args),
    Init(pipeline::init::Args),
    Validate(pipeline::validate::Args),
    Try(pipeline::trial::Args),
    Schema(pipeline::schema::Args),
    Providers(pipeline::providers::Args),
    Schedule(schedule::Args),
    Completions(completions::Args),
    ExitCodes(exit_codes::Args),
}

/// Runs a command.
pub async fn run(session: &Session, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Dev(args) => plane::dev::run(session, args).await,
        Command::Gateway(args) => plane::gateway::run(session, args).await,
        Command::Deploy(args) => deployment::deploy::run(session, args).await,
        Command::List(args) => deployment::list::run(session, args).await,
        Command::Status(args) => deployment::status::run(session, args).await,
        Command::Update(args) => deployment::update::run(session, args).await,
        Command::Pause(args) => deployment::pause::run(session, args).await,
        Command::Resume(args) => deployment::resume::run(session, args).await,
        Command::Remove(args) => deployment::remove::run(session, args).await,
        Command::Rollouts(args) => rollout::list::run(session, args).await,
        Command::Rollout(args) => rollout::show::run(session, args).await,
        Command::Groups(args) => group::run(session, args).await,
        Command::Versions(args) => version::run(session, args).await,
        Command::Env(args) => environment::run(session, args).await,
        Command::Promote(args) => environment::promote::run(session, args).await,
        Command::Rollback(args) => environment::rollback::run(session, args).await,
        Command::Run(args) => run::start::run(session, args).await,
        Command::Runs(args) => run::show::run(session, args).await,
        Command::Logs(args) => run::logs::run(session, args).await,
        Command::Tail(args) => run::tail::run(session, args).await,
        Command::Cancel(args) => run::cancel::run(session, args).await,
        Command::Tasks(args) => task::run(session, args).await,
        Command::Ticks(args) => tick::ticks::run(session, args).await,
        Command::Why(args) => tick::why::run(session, args).await,
        Command::Doctor(args) => plane::doctor::run(session, args).await,
        Command::Keys(args) => key::run(session, args).await,
        Command::Whoami(args) => caller::run(session, args).await,
        Command::Secrets(args) => secret::run(session, args).await,
        Command::Init(args) => pipeline::init::run(session, args),
        Command::Try(args) => pipeline::trial::run(session, args).await,
        Command::Schema(args) => pipeline::schema::run(session, args),
        Command::Validate(args) => pipeline::validate::run(session, args),
        Command::Providers(args) => pipeline::providers::run(session, args),
        Command::Schedule(args) => schedule::run(session, args),
        Command::ExitCodes(_) => exit_codes::run(session),
        Command::Completions(args) => completions::run(session, args),
    }
}

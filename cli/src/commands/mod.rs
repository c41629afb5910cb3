//! One file per command: its options, its help, what it does.

pub mod cancel;
pub mod completions;
pub mod deploy;
pub mod dev;
pub mod doctor;
pub mod gateway;
pub mod groups;
pub mod keys;
pub mod list;
pub mod logs;
pub mod pause;
pub mod providers;
pub mod remove;
pub mod resume;
pub mod rollout;
pub mod rollouts;
pub mod run;
pub mod runs;
pub mod schedule;
pub mod secrets;
pub mod status;
pub mod tasks;
pub mod ticks;
pub mod update;
pub mod validate;
pub mod versions;
pub mod why;

use crate::args::Command;
use crate::failure::{Exit, Failure};
use crate::session::Session;

/// Does what the command line says.
pub async fn run(session: &Session, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Dev(args) => dev::run(session, args).await,
        Command::Gateway(args) => gateway::run(session, args).await,
        Command::Deploy(args) => deploy::run(session, args).await,
        Command::List(args) => list::run(session, args).await,
        Command::Status(args) => status::run(session, args).await,
        Command::Update(args) => update::run(session, args).await,
        Command::Pause(args) => pause::run(session, args).await,
        Command::Resume(args) => resume::run(session, args).await,
        Command::Remove(args) => remove::run(session, args).await,
        Command::Rollouts(args) => rollouts::run(session, args).await,
        Command::Rollout(args) => rollout::run(session, args).await,
        Command::Groups(args) => groups::run(session, args).await,
        Command::Versions(args) => versions::run(session, args).await,
        Command::Run(args) => run::run(session, args).await,
        Command::Runs(args) => runs::run(session, args).await,
        Command::Logs(args) => logs::run(session, args).await,
        Command::Cancel(args) => cancel::run(session, args).await,
        Command::Tasks(args) => tasks::run(session, args).await,
        Command::Ticks(args) => ticks::run(session, args).await,
        Command::Why(args) => why::run(session, args).await,
        Command::Doctor(args) => doctor::run(session, args).await,
        Command::Keys(args) => keys::run(session, args).await,
        Command::Secrets(args) => secrets::run(session, args).await,
        Command::Validate(args) => validate::run(session, args),
        Command::Providers(args) => providers::run(session, args),
        Command::Schedule(args) => schedule::run(session, args),
        Command::Completions(args) => completions::run(session, args),
    }
}

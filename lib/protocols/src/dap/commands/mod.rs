//! What can be asked.
//!
//! A command is one entry in a table: those of operations stand with their function in [`crate::functions`], those that
//! concern only the connection stand here, and those of environments, which have no routes of HTTP yet, in
//! [`OF_ENVIRONMENTS`].
//!
//! To add one: an `async fn(Asked) -> Result<Body, Failure>` in a file of its group, and its entry.

mod catalogue;
mod dashboard;
mod deploy;
mod environments;
pub(super) mod login;
pub(super) mod monitor;
mod probe;
pub(super) mod process;
mod rows;
mod tasks;
mod validate;

pub(crate) use catalogue::catalogue;
pub use catalogue::{resolve_config, services};
pub use deploy::{add, list, remove, status, update};
pub use environments::OF_ENVIRONMENTS;
pub(super) use environments::{action as change_action, team_id};
pub use monitor::monitor;
pub use process::process;
pub use tasks::{execute, get_pipeline, get_task_status, get_tasks, get_token, restart, terminate};
pub use validate::validate;
pub(crate) use validate::{flat, validated};

use super::connections::Seat;
use super::failure::Failure;
use super::frame::{Arguments, Body};
use super::pipes::{Pipes, Turn};
use super::session::Events;
use crate::functions::FUNCTIONS;
use futures::future::BoxFuture;
use serde::Serialize;
use std::sync::Arc;
use tidemill_model::key::Scope;
use tidemill_operations::{Call, Error, Plane};

/// Something that a client may ask.
pub struct Command {
    pub name: &'static str,
    pub needs: Needs,
    pub handle: Handler,
}

/// What a caller needs for a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    Login,
    Scope(Scope),
    /// It concerns one task: the scope, or a token of that task.
    Task(Scope),
    /// A login; of whoever has only a task's token, that the task is meant.
    Watch,
}

pub type Handler = fn(Asked) -> BoxFuture<'static, Result<Body, Failure>>;

/// What a handler works with: the caller is authenticated and may do it.
pub struct Asked {
    pub plane: Arc<Plane>,
    /// The caller's connection.
    pub seat: Arc<Seat>,
    pub call: Call,
    /// The token of the only task that the caller may name: it has logged in with one of that task.
    pub task: Option<String>,
    pub arguments: Arguments,
    /// The objects that arrive under this login.
    pub pipes: Arc<Pipes>,
    /// The place in the order of its pipe's requests, if it concerns one.
    pub turn: Option<Turn>,
    pub events: Arc<Events>,
}

/// Commands that concern only the connection. `auth` and `deauth` change who is logged in, and are the session's own.
pub static OF_CONNECTION: &[Command] = &[
    Command { name: "rrext_ping", needs: Needs::Login, handle: |asked| Box::pin(login::ping(asked)) },
    Command { name: "rrext_identify", needs: Needs::Login, handle: |asked| Box::pin(login::identify(asked)) },
    Command {
        name: "rrext_dashboard",
        needs: Needs::Scope(Scope::Monitor),
        handle: |asked| Box::pin(dashboard::dashboard(asked)),
    },
    Command {
        name: "rrext_list_tasks",
        needs: Needs::Scope(Scope::Monitor),
        handle: |asked| Box::pin(dashboard::list_tasks(asked)),
    },
    Command {
        name: "rrext_list_connections",
        needs: Needs::Scope(Scope::Monitor),
        handle: |asked| Box::pin(dashboard::list_connections(asked)),
    },
    Command { name: "rrext_monitor", needs: Needs::Watch, handle: |asked| Box::pin(monitor(asked)) },
];

/// Finds a command of somebody who is logged in.
pub fn named(name: &str) -> Option<&'static Command> {
    let of_functions = FUNCTIONS.iter().flat_map(|function| function.dap);
    OF_CONNECTION.iter().chain(OF_ENVIRONMENTS).chain(of_functions).find(|command| command.name == name)
}

/// Whether a command is served before the login.
pub fn is_public(name: &str) -> bool {
    name.starts_with("rrext_public_")
}

/// A command that needs no login.
type PublicHandler = fn(&Plane) -> Result<Body, Failure>;

pub fn public(name: &str) -> Option<PublicHandler> {
    (name == "rrext_public_probe").then_some(probe::probe)
}

/// An answer as a body.
fn body(answer: &impl Serialize) -> Result<Body, Failure> {
    let text = serde_json::value::to_raw_value(answer).map_err(Error::internal)?;
    Ok(Some(text))
}

/// The body that says nothing but that it is done.
fn done() -> Result<Body, Failure> {
    body(&serde_json::json!({}))
}

/// A text argument that says something.
fn text(arguments: &Arguments, name: &str) -> Result<Option<String>, Failure> {
    Ok(arguments.text(name)?.filter(|text| !text.is_empty()))
}

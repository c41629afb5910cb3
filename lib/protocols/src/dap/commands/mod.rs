//! The commands of RocketRide's clients. [`COMMANDS`] has one entry for each; the session knows none by name.
//!
//! To add one: an `async fn(CommandRequest) -> Result<Body, Failure>` in the file of its noun, and its entry.

mod arguments;
pub(super) mod connection;
mod dashboard;
mod deployment;
mod environment;
mod history;
mod monitor;
mod object;
mod page;
pub(crate) mod pipeline;
mod plane;
pub(crate) mod provider;
mod schedule;
mod table;
mod task;
mod team;
mod version;

pub(super) use history::action as change_action;
pub(super) use object::pipe_id;
pub use table::COMMANDS;
pub(super) use team::team_id;

use super::connections::Seat;
use super::failure::Failure;
use super::frame::{Arguments, Body, shown};
use super::pipes::{PipeTurn, Pipes};
use super::session::Events;
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde::Serialize;
use std::sync::Arc;
use tidemill_model::key::Scope;
use tidemill_operations::{Call, Error, Plane};

/// A command of RocketRide's clients.
pub struct Command {
    pub name: &'static str,
    /// What the argument `subcommand` says, where several commands share a name.
    pub subcommand: Option<&'static str>,
    /// The function that does the same for other protocols; `None` for what concerns the connection alone.
    pub function: Option<&'static str>,
    pub action: Action,
}

/// What a session does for a command.
#[derive(Clone, Copy)]
pub enum Action {
    LogIn,
    LogOut,
    /// Answers anyone, also before the login.
    Public(PublicHandler),
    /// Answers a caller who is logged in.
    Private(Needs, Handler),
    /// Answers a caller with objects: in the order of its pipe's requests, over a transport that carries objects.
    Stream(Needs, Handler),
}

/// What a caller needs for a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    Login,
    Scope(Scope),
    /// It concerns one task: the scope, or a token of that task.
    Task(Scope),
    /// A login; with only a task's token, it means that task.
    Watch,
}

pub type Handler = fn(CommandRequest) -> BoxFuture<'static, Result<Body, Failure>>;
pub type PublicHandler = fn(&Plane) -> Result<Body, Failure>;

/// What a handler works with: the caller is authenticated and has what the command needs.
pub struct CommandRequest {
    pub plane: Arc<Plane>,
    /// The caller's connection.
    pub seat: Arc<Seat>,
    pub call: Call,
    /// The token of the only task that the caller may name: its login is one with that token.
    pub task: Option<String>,
    pub arguments: Arguments,
    /// The pipes of this login.
    pub pipes: Arc<Pipes>,
    /// The place in the order of its pipe's requests, if it concerns one.
    pub turn: Option<PipeTurn>,
    pub events: Arc<Events>,
}

impl Command {
    pub fn carries_objects(&self) -> bool {
        matches!(self.action, Action::Stream(..))
    }
}

/// Finds what a request asks for.
///
/// # Errors
/// What to answer a caller who may know it: the table has no such command.
pub fn find(name: &str, arguments: &Arguments) -> Result<&'static Command, Failure> {
    let mut commands = COMMANDS.iter().filter(|command| command.name == name).peekable();
    let Some(first) = commands.peek() else { return Err(Failure::unknown_command(name)) };
    if first.subcommand.is_none() {
        return Ok(first);
    }
    let given = arguments::required(arguments, "subcommand").map_err(|_| Failure::new("Subcommand is required"))?;
    let found = commands.find(|command| command.subcommand == Some(given.as_str()));
    found.ok_or_else(|| Failure::new(format!("Unknown subcommand: {}", shown(&given))))
}

/// Whether the command of a name changes who is logged in.
pub fn is_login(name: &str) -> bool {
    COMMANDS.iter().any(|command| command.name == name && matches!(command.action, Action::LogIn))
}

/// Whether only a caller who is logged in may hear about the command of a name. Public names begin alike, also those of
/// commands that are not here.
pub fn is_private(name: &str) -> bool {
    !name.starts_with(PUBLIC) && !is_login(name)
}

/// How the names of public commands begin.
pub const PUBLIC: &str = "rrext_public_";

/// An answer as a body.
fn body(answer: &impl Serialize) -> Result<Body, Failure> {
    let text = serde_json::value::to_raw_value(answer).map_err(Error::internal)?;
    Ok(Some(text))
}

/// The body that only says that the command is done.
fn done() -> Result<Body, Failure> {
    body(&serde_json::json!({}))
}

/// Times on this wire are seconds since 1970, with a fraction.
fn seconds(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1000.0
}

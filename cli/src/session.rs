//! What a command works with: the options of all commands, and its output.

use crate::api::client::Client;
use crate::api::connection::Connection;
use crate::failure::Failure;
use crate::global::Global;
use crate::output::Output;
use crate::output::zone;
use std::io::IsTerminal;

/// One invocation of the command.
pub struct Session {
    pub output: Output,
    pub global: Global,
}

impl Session {
    /// # Errors
    /// `--jq` is no program, or TZ is no zone.
    pub fn new(global: Global) -> Result<Session, Failure> {
        let output = match &global.jq {
            Some(program) => Output::filtered(program)?,
            None => Output::new(global.json),
        };
        zone::start(global.utc, global.local)?;
        Ok(Session { output, global })
    }

    /// The plane that this command talks to.
    pub fn client(&self) -> Result<Client, Failure> {
        Client::new(Connection::new(&self.global)?)
    }

    /// Whether standard error is a terminal, which then shows progress.
    pub fn is_watched(&self) -> bool {
        !self.output.is_json() && std::io::stderr().is_terminal()
    }
}

//! What a command works with: what it was told to do everywhere, and where its words go.

use crate::client::Client;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::global::Global;
use crate::output::Output;
use std::io::IsTerminal;

/// One invocation of the command.
pub struct Session {
    pub output: Output,
    pub global: Global,
}

impl Session {
    pub fn new(global: Global) -> Session {
        Session { output: Output::new(global.json), global }
    }

    /// The plane that this command talks to.
    pub fn client(&self) -> Result<Client, Failure> {
        Client::new(Connection::new(&self.global)?)
    }

    /// Whether somebody watches standard error: then progress is shown there.
    pub fn is_watched(&self) -> bool {
        !self.output.is_json() && std::io::stderr().is_terminal()
    }
}

//! What the commands that stay have in common: how they are stopped, and where they listen.

use crate::failure::Failure;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Ctrl-C, and what a supervisor sends.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub fn new() -> Result<Signals, Failure> {
        let listen = |kind| {
            signal(kind).map_err(|error| Failure::new("internal", format!("cannot listen for signals: {error}")))
        };
        Ok(Signals { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    /// Waits for the next one.
    pub async fn first(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// For `--listen`: an address, or a port of this machine alone, as `5612`, `:5612` or `localhost:5612`.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    let port = text.strip_prefix("localhost:").or_else(|| text.strip_prefix(':')).unwrap_or(text);
    let local = || port.parse().ok().map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let address = text.parse().ok().or_else(local);
    address.ok_or_else(|| format!("`{text}` is not an address; write e.g. `5612`, `127.0.0.1:5612` or `0.0.0.0:5612`"))
}

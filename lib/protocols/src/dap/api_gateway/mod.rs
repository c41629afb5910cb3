//! RocketRide's protocol over WebSockets that API Gateway holds: it calls a function when one opens, for each frame, and
//! when one has closed, and the functions send through its API.
//!
//! The rules are [`tidemill_operations::socket`]'s. Here are the frames: [`receive()`] hands one to the same
//! [`Session`](super::Session) that a process's own sockets have, [`notify()`] writes the events for those who watch.

mod notify;
mod receive;

pub use notify::notify;
pub use receive::receive;

use futures::future::BoxFuture;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tidemill_operations::socket::{self, Connection, open::Admission};
use tidemill_operations::{Error, Plane};

/// What happened to a WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketEvent {
    pub connection: Connection,
    /// When this happened.
    pub at: Timestamp,
    /// Whether a page in a browser opened it.
    pub is_of_page: bool,
    /// How long the answer may take.
    pub time: Duration,
    /// The frame, if one came.
    pub text: Option<String>,
}

/// What API Gateway is to do with the WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketOutcome {
    Taken,
    /// It does not open, with this HTTP status.
    Refused(u16),
}

/// Opens a socket, unless a rule is against it.
pub fn open(plane: &Arc<Plane>, event: SocketEvent) -> BoxFuture<'_, Result<SocketOutcome, Error>> {
    Box::pin(async move {
        Ok(match socket::open::run(plane, event.connection, event.is_of_page).await? {
            Admission::Admitted => SocketOutcome::Taken,
            Admission::ForeignPage => SocketOutcome::Refused(403),
            Admission::TooManyStrangers => SocketOutcome::Refused(429),
        })
    })
}

/// Forgets a socket that has closed.
pub fn close(plane: &Arc<Plane>, event: SocketEvent) -> BoxFuture<'_, Result<SocketOutcome, Error>> {
    Box::pin(async move {
        socket::close::run(plane, &event.connection).await?;
        Ok(SocketOutcome::Taken)
    })
}

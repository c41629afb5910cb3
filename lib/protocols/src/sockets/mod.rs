//! RocketRide's protocol over WebSockets that none of our processes holds:
//!
//! API Gateway calls a function when one opens, for each frame, and when one has closed, and the functions answer by
//! its API for sending.
//!
//! [`receive`] hands the frame to the same [`Session`](crate::dap::Session) that a process's own sockets have; what that
//! knows beyond a frame is kept in the table. Nothing that is read here is older than the call. [`tell`] answers the bells of
//! whoever changed something that somebody wants to be told.

mod close;
mod forget;
mod kept;
mod open;
mod receive;
mod tell;

pub use close::close;
pub use open::open;
pub use receive::receive;
pub use tell::tell;

use jiff::Timestamp;
use std::net::IpAddr;
use std::time::Duration;
use tidemill_model::ids::ConnectionId;

/// What happened to a WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub connection: ConnectionId,
    /// Where it comes from.
    pub peer: IpAddr,
    pub opened_at: Timestamp,
    /// When this happened.
    pub at: Timestamp,
    /// Whether it was opened by a page in a browser.
    pub is_of_page: bool,
    /// How long it may take until whoever sent it is answered.
    pub time: Duration,
    /// The frame, if one came.
    pub text: Option<String>,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Taken,
    /// It is not opened, with this status.
    Refused(u16),
}

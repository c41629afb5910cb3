//! RocketRide's protocol: requests and answers as JSON frames over one WebSocket at [`PATH`]. Knows no socket: the
//! transport hands frames to a [`Session`] and sends what it finds on the outbox.
//!
//! [`frame`] reads and writes the wire, [`session`] is one connection, [`connections`] all of them, [`commands`] one
//! table of what a client may ask. [`api_gateway`] serves the WebSockets
//! that no process of ours holds.

pub mod api_gateway;
pub mod commands;
pub mod connections;
mod event_types;
pub(crate) mod events;
mod failure;
pub mod frame;
pub mod monitors;
mod pipes;
pub mod session;
pub mod transport;

pub use commands::{Command, CommandRequest, Needs};
pub use connections::Connections;
pub use failure::Failure;
pub use frame::{Body, FRAME_LIMIT, Frame};
pub use session::{Close, Memory, Outgoing, Outgoings, STRANGERS_FRAME_LIMIT, Session, Work, outbox};
pub use transport::Transport;

/// Where the clients look for the WebSocket, whatever path their user gives.
pub const PATH: &str = "/task/service";

//! WebSockets that none of our processes holds.
//!
//! API Gateway calls a function when one opens, for each frame, and when one has closed. The table keeps what lies between
//! those calls; what a frame means is the protocol's.

pub mod close;
pub mod notify;
pub mod open;
pub mod receive;
mod session;
mod strangers;

pub use session::SessionState;
pub use strangers::is_late;
pub use tidemill_store::Watcher;

use jiff::{SignedDuration, Timestamp};
use std::net::{IpAddr, Ipv6Addr};
use tidemill_model::ids::ConnectionId;

/// How long a socket may be open before its first login.
pub const LOGIN_TIME: SignedDuration = SignedDuration::from_secs(5);
/// Sockets that may be logged in with one key, or with one task's token, in a process that holds them.
pub const LOGINS_OF_KEY: usize = 256;
/// Sockets of one household that may be open without a login.
pub const STRANGERS_LIMIT: usize = 10;
/// Those of it that may be open beyond them, to log in: by a process that holds its sockets when it is their turn, by API
/// Gateway at once, and only with their first frame.
pub const WAITING_LIMIT: usize = 200;

/// One WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    pub id: ConnectionId,
    pub peer: IpAddr,
    pub opened_at: Timestamp,
}

/// The addresses that count as one: a user of IPv6 has all those that differ in the last 64 bits.
/// <https://www.rfc-editor.org/rfc/rfc4291#section-2.5.4>
pub fn household(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        other => other,
    }
}

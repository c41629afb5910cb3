//! What goes out to the client.

use crate::dap::connections::Seat;
use crate::dap::frame;
use crate::dap::monitors::Monitors;
use crate::dap::session::outbox::Outbox;
use std::sync::Arc;

/// One thing for the transport to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// One line of JSON.
    Text(String),
    /// The last thing that is sent.
    Close(Close),
}

/// Why a socket closes. <https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Close {
    pub code: u16,
    pub reason: &'static str,
}

impl Close {
    /// The plane stops.
    pub const AWAY: Close = Close { code: 1001, reason: "the plane stops" };
    pub const TOO_LARGE: Close = Close { code: 1009, reason: "the frame is too large" };
    pub const TOO_MANY: Close = Close { code: 1008, reason: "too many sockets of this address did not log in" };
    pub const UNREAD: Close = Close { code: 1008, reason: "too much was sent that the client did not read" };
    pub(super) const LOGIN: Close = Close { code: 1008, reason: "not logged in" };
    pub(crate) const TROUBLE: Close = Close { code: 1013, reason: "try again in a moment" };
    pub const LATE: Close = Close { code: 1008, reason: "no login within 5 s" };
}

/// Sends a connection the events that it subscribed to, and its answers.
pub struct Events {
    pub monitors: Monitors,
    seat: Arc<Seat>,
    outbox: Outbox,
}

impl Events {
    pub(super) fn new(monitors: Monitors, seat: Arc<Seat>, outbox: Outbox) -> Events {
        Events { monitors, seat, outbox }
    }

    pub fn send(&self, name: &str, body: &serde_json::Value) {
        self.put(Outgoing::Text(frame::event(self.seat.sends(), name, body)));
    }

    pub(super) fn put(&self, outgoing: Outgoing) {
        self.outbox.put(outgoing);
    }
}

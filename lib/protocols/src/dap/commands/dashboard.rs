//! `rrext_dashboard`: the caller's own connections, and how long the plane has been up.

use super::{Asked, body};
use crate::dap::connections::Connection;
use crate::dap::failure::Failure;
use crate::dap::frame::Body;
use jiff::Timestamp;
use serde_json::{Value, json};

pub async fn dashboard(asked: Asked) -> Result<Body, Failure> {
    let Asked { plane, seat, call, .. } = asked;
    let connections = seat.connections();
    let own = connections.of(&call.owner);
    body(&json!({
        "overview": {
            "totalConnections": own.len(),
            "activeTasks": 0,
            "serverUptime": plane.now().duration_since(connections.started_at).as_secs_f64(),
        },
        "connections": own.iter().map(shown).collect::<Vec<_>>(),
        "tasks": [],
    }))
}

fn shown(connection: &Connection) -> Value {
    let Connection { id, since, last_heard, received, sent, owner, client } = connection;
    json!({
        "id": id,
        "connectedAt": seconds(*since),
        "lastActivity": seconds(*last_heard),
        "messagesIn": received,
        "messagesOut": sent,
        "authenticated": owner.is_some(),
        "clientId": owner,
        "clientInfo": {"name": client.name, "version": client.version},
        "monitors": [],
        "attachedTasks": [],
    })
}

/// Times on this wire are seconds since 1970, with a fraction.
pub fn seconds(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1000.0
}

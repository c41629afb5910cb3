//! Sends those who watch an owner's tasks the events of what has changed.

use crate::dap::Transport;
use crate::dap::connections::{Client, Connections};
use crate::dap::events::Recipient;
use crate::dap::frame;
use crate::dap::monitors::{MonitorState, Monitors};
use crate::dap::session::watching;
use futures::future::BoxFuture;
use jiff::Timestamp;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use tidemill_operations::BellOutcome;
use tidemill_operations::access::caller::Caller;
use tidemill_operations::socket::Watcher;
use tidemill_operations::socket::notify::{self, Notice, Notifier};
use tidemill_operations::{Bell, Error, Plane, Reached, Sockets};

const NOTIFIER: Notifier = Notifier { send, merge };

/// Answers a bell of the queue of notifications.
pub fn notify(plane: &Plane, bell: Bell, _: Option<Timestamp>) -> BoxFuture<'_, Result<BellOutcome, Error>> {
    Box::pin(notify::run(plane, bell, &NOTIFIER))
}

fn send<'a>(
    plane: &'a Plane,
    sockets: &'a dyn Sockets,
    watcher: &'a Watcher,
    caller: &'a Caller,
) -> BoxFuture<'a, Result<Notice, Error>> {
    Box::pin(async move {
        let before: MonitorState = serde_json::from_str(&watcher.watches).unwrap_or_default();
        if before.watches.is_empty() {
            return Ok(Notice::Unchanged);
        }
        let connections = Arc::new(Connections::new(plane));
        let client = Client { name: watcher.client_name.clone(), version: watcher.client_version.clone() };
        let nowhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let seat = Arc::new(connections.visit(nowhere, watcher.opened_at, plane.now(), client));
        let monitors = Monitors::of(seat, before.clone());
        if send_changes(plane, sockets, watcher, caller, &connections, &monitors).await? == Reached::Gone {
            return Ok(Notice::Gone);
        }
        let sent = monitors.kept().await;
        Ok(if sent == before { Notice::Unchanged } else { Notice::Sent(sent.text()) })
    })
}

async fn send_changes(
    plane: &Plane,
    sockets: &dyn Sockets,
    watcher: &Watcher,
    caller: &Caller,
    connections: &Connections,
    monitors: &Monitors,
) -> Result<Reached, Error> {
    // A task's token monitors that task alone. A caller that may monitor nothing is sent nothing.
    let Ok(call) = watching(caller, caller.task(None).as_deref()) else { return Ok(Reached::Yes) };
    let changes = monitors.changes(&Recipient { plane, call, connections }).await?;
    let first = plane.now().as_millisecond().max(0) as u64;
    for (number, (name, body)) in changes.iter().enumerate() {
        let event = frame::event(first + number as u64, name, body);
        if event.len() > Transport::API_GATEWAY.limit {
            tracing::warn!(event = name, bytes = event.len(), "an event is larger than API Gateway's WebSockets carry");
            continue;
        }
        if sockets.send(&watcher.id, &event).await? == Reached::Gone {
            return Ok(Reached::Gone);
        }
    }
    Ok(Reached::Yes)
}

/// The watches of `newer`, with what `sent` says was sent of them.
fn merge(newer: &str, sent: &str) -> String {
    let newer: MonitorState = serde_json::from_str(newer).unwrap_or_default();
    let sent: MonitorState = serde_json::from_str(sent).unwrap_or_default();
    newer.after(&sent).text()
}

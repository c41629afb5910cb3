//! A connection's place among the others.

use super::{Client, Connection, ConnectionChange, Connections};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use tidemill_model::ids::OwnerId;
use tidemill_model::key::Credential;

/// A connection's place among the others; given up when it is dropped.
pub struct Seat {
    id: u64,
    peer: IpAddr,
    connections: Arc<Connections>,
    since: Timestamp,
    is_stranger: Mutex<bool>,
}

impl Seat {
    pub(super) fn new(id: u64, peer: IpAddr, connections: Arc<Connections>, since: Timestamp) -> Seat {
        Seat { id, peer, connections, since, is_stranger: Mutex::new(true) }
    }

    /// All the connections that this is one of.
    pub fn connections(&self) -> &Connections {
        &self.connections
    }

    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// Notes who logged in, and with what; `false`, and nothing is noted, when too many are logged in with the same.
    pub fn logs_in(&self, owner: OwnerId, credential: &Credential) -> bool {
        let mut state = self.connections.state();
        if state.is_full(credential) {
            return false;
        }
        if let Some(connection) = state.open.get_mut(&self.id) {
            connection.credential = Some(credential.clone());
        }
        drop(state);
        self.belongs_to(Some(owner));
        true
    }

    /// Notes a logout, or that another login begins.
    pub fn logs_out(&self) {
        self.note(|connection| connection.credential = None);
        self.belongs_to(None);
    }

    /// Notes who is logged in now. After one login it is no stranger any more.
    pub fn belongs_to(&self, owner: Option<OwnerId>) {
        if owner.is_some() {
            self.is_known();
        }
        let mut state = self.connections.state();
        let Some(mut connection) = state.open.remove(&self.id) else { return };
        if connection.owner != owner {
            state.record(&connection, ConnectionChange::Gone);
            connection.owner = owner;
            state.record(&connection, ConnectionChange::LoggedIn);
        }
        state.open.insert(self.id, connection);
    }

    /// Who is logged in, and with which client.
    pub fn occupant(&self) -> (Option<OwnerId>, Client) {
        let state = self.connections.state();
        let found = state.open.get(&self.id);
        found.map(|connection| (connection.owner.clone(), connection.client.clone())).unwrap_or_default()
    }

    pub fn is_client(&self, client: Client) {
        self.note(|connection| {
            connection.client.name = client.name.or(connection.client.name.take());
            connection.client.version = client.version.or(connection.client.version.take());
        });
    }

    pub fn monitors(&self, monitors: BTreeMap<String, Vec<&'static str>>) {
        let mut state = self.connections.state();
        let Some(mut connection) = state.open.remove(&self.id) else { return };
        let before = std::mem::replace(&mut connection.monitors, monitors);
        for (key, flags) in &connection.monitors {
            if before.get(key) != Some(flags) {
                state.record(&connection, ConnectionChange::Subscribed(key.clone()));
            }
        }
        for key in before.keys().filter(|key| !connection.monitors.contains_key(*key)) {
            state.record(&connection, ConnectionChange::Unsubscribed(key.clone()));
        }
        state.open.insert(self.id, connection);
    }

    pub fn received(&self, now: Timestamp) {
        self.note(|connection| {
            connection.received += 1;
            connection.last_heard = now;
        });
    }

    /// The number of the frame that is sent next, from 1.
    pub fn sends(&self) -> u64 {
        let mut number = 0;
        self.note(|connection| {
            connection.sent += 1;
            number = connection.sent;
        });
        number
    }

    /// Whether there was never a login.
    pub fn is_stranger(&self) -> bool {
        *self.is_stranger.lock().expect("no panic happens while it is held")
    }

    fn is_known(&self) {
        let mut is_stranger = self.is_stranger.lock().expect("no panic happens while it is held");
        if !std::mem::take(&mut *is_stranger) {
            return;
        }
        let mut state = self.connections.state();
        if let Some(strangers) = state.strangers.get_mut(&self.peer) {
            *strangers -= 1;
            if *strangers == 0 {
                state.strangers.remove(&self.peer);
            }
        }
        drop(state);
        self.connections.turns.notify_waiters();
    }

    pub(super) fn note(&self, change: impl FnOnce(&mut Connection)) {
        if let Some(connection) = self.connections.state().open.get_mut(&self.id) {
            change(connection);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.is_known();
        let mut state = self.connections.state();
        if let Some(connection) = state.open.remove(&self.id) {
            state.record(&connection, ConnectionChange::Gone);
        }
    }
}

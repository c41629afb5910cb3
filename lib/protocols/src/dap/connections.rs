//! Who is connected to this process: how many may be without having logged in, and what an owner sees of its own
//! connections. It lives in memory and decides nothing that outlives it.

use super::failure::Failure;
use super::frame::Arguments;
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard};
use tidemill_model::ids::OwnerId;
use tidemill_operations::Plane;

/// Sockets of one address that may be open without having logged in.
pub const STRANGERS_LIMIT: usize = 10;
/// Things that happened to connections and are remembered: whoever watches is told once a second.
const HAPPENED: usize = 1024;
/// Characters of a client's name, and of its version, that are kept.
const NAME_KEPT: usize = 64;

/// All connections of a process.
pub struct Connections {
    pub started_at: Timestamp,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    last_id: u64,
    open: HashMap<u64, Connection>,
    /// How many of an address have not logged in.
    strangers: HashMap<IpAddr, usize>,
    /// The last things that happened, in their order.
    happened: VecDeque<Happened>,
    last_happened: u64,
}

impl State {
    fn happened(&mut self, connection: &Connection, what: What) {
        let Some(owner) = connection.owner.clone() else { return };
        self.last_happened += 1;
        let (number, client) = (self.last_happened, connection.client.clone());
        if self.happened.len() == HAPPENED {
            self.happened.pop_front();
        }
        self.happened.push_back(Happened { number, owner, connection: connection.id, client, what });
    }
}

/// Something that happened to an owner's connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened {
    /// Counts what happened in the process.
    number: u64,
    owner: OwnerId,
    pub connection: u64,
    pub client: Client,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    LoggedIn,
    /// It logged out, or is closed.
    Gone,
    /// What it monitors under a label.
    Subscribed(String),
    Unsubscribed(String),
}

/// What is known of one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    pub id: u64,
    pub since: Timestamp,
    pub last_heard: Timestamp,
    pub received: u64,
    pub sent: u64,
    /// Who is logged in.
    pub owner: Option<OwnerId>,
    pub client: Client,
    /// What it monitors, as people read it, with the names of the events.
    pub monitors: BTreeMap<String, Vec<&'static str>>,
}

/// What a client says it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    pub name: Option<String>,
    pub version: Option<String>,
}

impl Client {
    /// Takes the names from a client's arguments.
    pub fn of(arguments: &Arguments) -> Result<Client, Failure> {
        let shortened = |text: String| text.chars().take(NAME_KEPT).collect();
        Ok(Client {
            name: arguments.text("clientName")?.map(shortened),
            version: arguments.text("clientVersion")?.map(shortened),
        })
    }
}

impl Connections {
    pub fn new(plane: &Plane) -> Connections {
        Connections { started_at: plane.now(), state: Mutex::default() }
    }

    /// Lets one more in; `None` when its address has too many that did not log in.
    pub fn enter(self: &Arc<Self>, peer: IpAddr, now: Timestamp) -> Option<Seat> {
        let peer = household(peer);
        let mut state = self.state();
        let strangers = state.strangers.entry(peer).or_default();
        if *strangers >= STRANGERS_LIMIT {
            return None;
        }
        *strangers += 1;
        state.last_id += 1;
        let id = state.last_id;
        let connection = Connection {
            id,
            since: now,
            last_heard: now,
            received: 0,
            sent: 0,
            owner: None,
            client: Client::default(),
            monitors: BTreeMap::new(),
        };
        state.open.insert(id, connection);
        drop(state);
        Some(Seat { id, peer, connections: self.clone(), since: now, is_stranger: Mutex::new(true) })
    }

    /// A connection that is known elsewhere, and is here for one request. Its frames are numbered by the time, so that
    /// those of the next request have higher numbers.
    pub fn visit(self: &Arc<Self>, peer: IpAddr, since: Timestamp, now: Timestamp, client: Client) -> Seat {
        let seat = self.enter(peer, since).expect("nobody else is here");
        seat.note(|connection| {
            connection.sent = now.as_millisecond().max(0) as u64;
            connection.client = client;
        });
        seat
    }

    /// An owner's connections, oldest first.
    pub fn of(&self, owner: &OwnerId) -> Vec<Connection> {
        let state = self.state();
        let mut found: Vec<_> =
            state.open.values().filter(|open| open.owner.as_ref() == Some(owner)).cloned().collect();
        found.sort_by_key(|connection| connection.id);
        found
    }

    /// The number of what happened last.
    pub fn now(&self) -> u64 {
        self.state().last_happened
    }

    /// What happened to an owner's connections after a number.
    pub fn since(&self, owner: &OwnerId, number: u64) -> Vec<Happened> {
        let state = self.state();
        state.happened.iter().filter(|one| one.number > number && one.owner == *owner).cloned().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while holding it")
    }
}

/// Whoever has one address of IPv6 has all those that differ in the last 64 bits.
/// <https://www.rfc-editor.org/rfc/rfc4291#section-2.5.4>
pub fn household(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        other => other,
    }
}

/// A connection's place among the others; given up when it is dropped.
pub struct Seat {
    id: u64,
    peer: IpAddr,
    connections: Arc<Connections>,
    since: Timestamp,
    is_stranger: Mutex<bool>,
}

impl Seat {
    /// All the connections that this is one of.
    pub fn connections(&self) -> &Connections {
        &self.connections
    }

    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// Notes who is logged in now. Who logged in once is no stranger any more.
    pub fn belongs_to(&self, owner: Option<OwnerId>) {
        if owner.is_some() {
            self.is_known();
        }
        let mut state = self.connections.state();
        let Some(mut connection) = state.open.remove(&self.id) else { return };
        if connection.owner != owner {
            state.happened(&connection, What::Gone);
            connection.owner = owner;
            state.happened(&connection, What::LoggedIn);
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
                state.happened(&connection, What::Subscribed(key.clone()));
            }
        }
        for key in before.keys().filter(|key| !connection.monitors.contains_key(*key)) {
            state.happened(&connection, What::Unsubscribed(key.clone()));
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

    /// Whether nobody ever logged in here.
    pub fn is_stranger(&self) -> bool {
        *self.is_stranger.lock().expect("nobody panics while holding it")
    }

    fn is_known(&self) {
        let mut is_stranger = self.is_stranger.lock().expect("nobody panics while holding it");
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
    }

    fn note(&self, change: impl FnOnce(&mut Connection)) {
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
            state.happened(&connection, What::Gone);
        }
    }
}

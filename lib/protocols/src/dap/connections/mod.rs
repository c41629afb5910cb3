//! Who is connected to this process: how many may be without having logged in, or with one key, and what an owner sees of its
//! own connections. It lives in memory and decides nothing that outlives it.

mod seat;

pub use seat::Seat;

use super::failure::Failure;
use super::frame::Arguments;
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tidemill_model::ids::OwnerId;
use tidemill_model::key::Credential;
use tidemill_operations::Plane;
use tidemill_operations::socket::{LOGINS_OF_KEY, STRANGERS_LIMIT, WAITING_LIMIT, household};
use tokio::sync::Notify;

/// Events of connections that are kept: watchers are notified once a second.
const EVENTS_KEPT: usize = 1024;
/// Characters of a client's name, and of its version, that are kept.
const NAME_KEPT: usize = 64;

/// How long a connection waits for a turn to log in.
const TURN_PATIENCE: Duration = Duration::from_secs(30);

/// All connections of a process.
pub struct Connections {
    pub started_at: Timestamp,
    state: Mutex<State>,
    /// Wakes those that wait for a turn: a stranger logged in or left.
    turns: Notify,
}

#[derive(Default)]
struct State {
    last_id: u64,
    open: HashMap<u64, Connection>,
    /// How many of an address have not logged in.
    strangers: HashMap<IpAddr, usize>,
    /// How many of an address wait for a turn.
    waiting: HashMap<IpAddr, usize>,
    /// The last events, in their order.
    events: VecDeque<ConnectionEvent>,
    last_event: u64,
}

impl State {
    /// Whether as many are logged in with a credential as may be.
    fn is_full(&self, credential: &Credential) -> bool {
        let same = self.open.values().filter(|open| open.credential.as_ref() == Some(credential));
        same.count() >= LOGINS_OF_KEY
    }

    fn record(&mut self, connection: &Connection, change: ConnectionChange) {
        let Some(owner) = connection.owner.clone() else { return };
        self.last_event += 1;
        let (number, client) = (self.last_event, connection.client.clone());
        if self.events.len() == EVENTS_KEPT {
            self.events.pop_front();
        }
        self.events.push_back(ConnectionEvent { number, owner, connection: connection.id, client, change });
    }
}

/// An event of an owner's connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionEvent {
    /// Counts the events of the process.
    number: u64,
    owner: OwnerId,
    pub connection: u64,
    pub client: Client,
    pub change: ConnectionChange,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectionChange {
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
    /// What the login was made with, where it counts among those of its key.
    credential: Option<Credential>,
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
        Connections { started_at: plane.now(), state: Mutex::default(), turns: Notify::new() }
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
            credential: None,
            client: Client::default(),
            monitors: BTreeMap::new(),
        };
        state.open.insert(id, connection);
        drop(state);
        Some(Seat::new(id, peer, self.clone(), now))
    }

    /// Waits until [`Connections::enter`] may let one in of an address; `false` when too many of it wait already, or too
    /// long. Another one may be quicker, then it waits again.
    pub async fn turn(self: &Arc<Self>, peer: IpAddr) -> bool {
        let peer = household(peer);
        let Some(_place) = WaitingPlace::of(self, peer) else { return false };
        let free = async {
            loop {
                let change = self.turns.notified();
                tokio::pin!(change);
                change.as_mut().enable();
                if self.state().strangers.get(&peer).is_none_or(|strangers| *strangers < STRANGERS_LIMIT) {
                    return;
                }
                change.await;
            }
        };
        tokio::time::timeout(TURN_PATIENCE, free).await.is_ok()
    }

    /// A connection that is known elsewhere, and is here for one request. Its frames are numbered by the time, so that
    /// those of the next request have higher numbers.
    pub fn visit(self: &Arc<Self>, peer: IpAddr, since: Timestamp, now: Timestamp, client: Client) -> Seat {
        let seat = self.enter(peer, since).expect("it is the only one here");
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

    /// The number of the last event.
    pub fn now(&self) -> u64 {
        self.state().last_event
    }

    /// The events of an owner's connections after a number.
    pub fn since(&self, owner: &OwnerId, number: u64) -> Vec<ConnectionEvent> {
        let state = self.state();
        state.events.iter().filter(|one| one.number > number && one.owner == *owner).cloned().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic happens while it is held")
    }
}

/// A place among those of an address that wait; given up when it is dropped.
struct WaitingPlace<'a> {
    connections: &'a Connections,
    peer: IpAddr,
}

impl WaitingPlace<'_> {
    fn of(connections: &Connections, peer: IpAddr) -> Option<WaitingPlace<'_>> {
        let mut state = connections.state();
        let waiting = state.waiting.entry(peer).or_default();
        if *waiting >= WAITING_LIMIT {
            return None;
        }
        *waiting += 1;
        Some(WaitingPlace { connections, peer })
    }
}

impl Drop for WaitingPlace<'_> {
    fn drop(&mut self) {
        let mut state = self.connections.state();
        if let Some(waiting) = state.waiting.get_mut(&self.peer) {
            *waiting -= 1;
            if *waiting == 0 {
                state.waiting.remove(&self.peer);
            }
        }
    }
}

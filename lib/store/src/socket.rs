//! WebSockets that API Gateway holds: those without a login, the logins of the others, and what is sent there.

use crate::error::{Error, Part};
use crate::item::{expiring, from_item, number, to_item};
use crate::page::{Order, Range};
use crate::transaction::{Condition, Transaction};
use crate::{Store, keys};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tidemill_model::ids::{ConnectionId, OwnerId};
use tidemill_model::key::Credential;

/// Longer than API Gateway keeps any connection, which is two hours.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html>
const LONGEST: SignedDuration = SignedDuration::from_mins(130);

/// A WebSocket without a login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stranger {
    pub id: ConnectionId,
    /// Where it comes from.
    pub address: String,
    pub opened_at: Timestamp,
}

/// A WebSocket with a login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Socket {
    pub id: ConnectionId,
    pub opened_at: Timestamp,
    /// Who is logged in now.
    pub login: Option<Login>,
    pub logins: u32,
    /// Counts the changes.
    pub revision: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    pub owner: OwnerId,
    pub credential: Credential,
}

/// The notifications on a WebSocket with a login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watcher {
    pub id: ConnectionId,
    pub owner: OwnerId,
    pub opened_at: Timestamp,
    pub credential: Credential,
    pub client_name: Option<String>,
    pub client_version: Option<String>,
    /// What is sent, and was sent last, in the words of the protocol; empty is nothing.
    pub watches: String,
    /// Counts the changes.
    pub revision: u64,
}

impl Store {
    /// Notes a stranger, and gives how many its address has with it.
    pub async fn add_stranger(&self, stranger: &Stranger) -> Result<usize, Error> {
        let item = to_item(&keys::stranger(&stranger.address, &stranger.id), stranger)?;
        let item = expiring(item, stranger.opened_at + LONGEST);
        self.transaction().put(Part::Socket, item, Condition::none()).commit().await?;
        self.strangers_of(&stranger.address).await
    }

    /// How many strangers an address has.
    pub async fn strangers_of(&self, address: &str) -> Result<usize, Error> {
        let prefix = keys::strangers_of(address);
        Ok(self.all(Range::prefix(keys::STRANGERS.to_owned(), &prefix, Order::Ascending)).await?.len())
    }

    /// Every stranger.
    pub async fn strangers(&self) -> Result<Vec<Stranger>, Error> {
        let range = Range::prefix(keys::STRANGERS.to_owned(), "", Order::Ascending);
        self.all(range).await?.into_iter().map(from_item).collect()
    }

    pub async fn remove_stranger(&self, address: &str, id: &ConnectionId) -> Result<(), Error> {
        self.delete(&keys::stranger(address, id)).await
    }

    pub async fn socket(&self, id: &ConnectionId) -> Result<Option<Socket>, Error> {
        self.get(&keys::socket(id)).await
    }

    pub async fn watcher(&self, owner: &OwnerId, id: &ConnectionId) -> Result<Option<Watcher>, Error> {
        self.get(&keys::watcher(owner, id)).await
    }

    /// Every WebSocket that an owner is logged in on.
    pub async fn watchers(&self, owner: &OwnerId) -> Result<Vec<Watcher>, Error> {
        let range = Range::prefix(keys::watchers(owner), keys::WATCHERS, Order::Ascending);
        self.all(range).await?.into_iter().map(from_item).collect()
    }

    /// Forgets a WebSocket, as much as is known of it.
    pub async fn forget_socket(&self, owner: Option<&OwnerId>, id: &ConnectionId) -> Result<(), Error> {
        // What names the other item goes last.
        if let Some(owner) = owner {
            self.delete(&keys::watcher(owner, id)).await?;
        }
        self.delete(&keys::socket(id)).await
    }
}

impl Transaction<'_> {
    /// Writes who is logged in, unless that has changed since `before` was read.
    pub fn socket(self, before: Option<&Socket>, after: &Socket) -> Result<Self, Error> {
        let item = expiring(to_item(&keys::socket(&after.id), after)?, after.opened_at + LONGEST);
        Ok(self.put(Part::Socket, item, unchanged(before.map(|before| before.revision))))
    }

    /// Writes what is sent, unless that has changed since `before` was read.
    pub fn watcher(self, before: Option<&Watcher>, after: &Watcher) -> Result<Self, Error> {
        let item = expiring(to_item(&keys::watcher(&after.owner, &after.id), after)?, after.opened_at + LONGEST);
        Ok(self.put(Part::Socket, item, unchanged(before.map(|before| before.revision))))
    }

    /// Ends the notifications on a WebSocket.
    pub fn no_watcher(self, owner: &OwnerId, id: &ConnectionId) -> Self {
        self.delete(Part::Socket, &keys::watcher(owner, id))
    }

    /// A stranger is one no more.
    pub fn no_stranger(self, address: &str, id: &ConnectionId) -> Self {
        self.delete(Part::Socket, &keys::stranger(address, id))
    }
}

fn unchanged(revision: Option<u64>) -> Condition {
    match revision {
        None => Condition::absent(),
        Some(revision) => Condition::when("revision = :revision").value(":revision", number(revision)),
    }
}

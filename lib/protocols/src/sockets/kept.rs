//! A session's memory in the table. Two frames of one connection may be answered at once, so each change is written on
//! condition that there was no other, and before anything is sent.

use super::Event;
use crate::dap::Memory;
use crate::dap::connections::{Client, household};
use tidemill_operations::{Error, Plane};
use tidemill_store::{Login, Socket, Watcher};

/// What the table has of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    socket: Option<Socket>,
    watcher: Option<Watcher>,
}

impl Kept {
    pub async fn read(plane: &Plane, event: &Event) -> Result<Kept, Error> {
        let socket = plane.store.socket(&event.connection).await?;
        let watcher = match socket.as_ref().and_then(|socket| socket.login.as_ref()) {
            Some(login) => plane.store.watcher(&login.owner, &event.connection).await?,
            None => None,
        };
        Ok(Kept { socket, watcher })
    }

    /// Whether nobody ever logged in.
    pub fn is_stranger(&self) -> bool {
        self.socket.is_none()
    }

    pub fn memory(&self) -> Memory {
        let watcher = self.watcher.as_ref();
        Memory {
            login: self.login().map(|login| (login.owner.clone(), login.credential.clone())),
            logins: self.socket.as_ref().map_or(0, |socket| socket.logins),
            client: watcher.map_or_else(Client::default, |watcher| Client {
                name: watcher.client_name.clone(),
                version: watcher.client_version.clone(),
            }),
            // What cannot be read is of an older plane; the client asks again when it comes back.
            monitors: watcher.and_then(|watcher| serde_json::from_str(&watcher.watches).ok()).unwrap_or_default(),
        }
    }

    fn login(&self) -> Option<&Login> {
        // Whoever is told nothing any more is logged out.
        self.watcher.as_ref().and(self.socket.as_ref()?.login.as_ref())
    }

    /// Writes what became of the memory.
    ///
    /// # Errors
    /// [`tidemill_store::Error::Rejected`] if another frame's answer has changed it since it was read.
    pub async fn write(&self, plane: &Plane, event: &Event, memory: &Memory) -> Result<(), tidemill_store::Error> {
        let before = self.memory();
        if before == *memory || (self.is_stranger() && memory.login.is_none()) {
            return Ok(());
        }
        let mut transaction = plane.store.transaction();
        if before.login != memory.login || before.logins != memory.logins {
            transaction = transaction.socket(self.socket.as_ref(), &self.socket(event, memory))?;
        }
        if self.is_stranger() {
            transaction = transaction.no_stranger(&household(event.peer).to_string(), &event.connection);
        }
        let owner = memory.login.as_ref().map(|(owner, _)| owner);
        if let Some(gone) = self.watcher.as_ref().filter(|watcher| Some(&watcher.owner) != owner) {
            transaction = transaction.no_watcher(&gone.owner, &gone.id);
        }
        if let Some(watcher) = self.watcher(event, memory) {
            let before = self.watcher.as_ref().filter(|before| before.owner == watcher.owner);
            transaction = transaction.watcher(before, &watcher)?;
            transaction = transaction.arrival(&watcher.owner, !memory.monitors.watches.is_empty());
        }
        transaction.commit().await
    }

    fn socket(&self, event: &Event, memory: &Memory) -> Socket {
        let login = memory.login.clone().map(|(owner, credential)| Login { owner, credential });
        Socket {
            id: event.connection.clone(),
            opened_at: event.opened_at,
            login,
            logins: memory.logins,
            revision: self.socket.as_ref().map_or(0, |socket| socket.revision) + 1,
        }
    }

    fn watcher(&self, event: &Event, memory: &Memory) -> Option<Watcher> {
        let (owner, credential) = memory.login.clone()?;
        let watches = match memory.monitors.watches.as_slice() {
            [] => String::new(),
            _ => serde_json::to_string(&memory.monitors).expect("names, numbers and hashes can be written as JSON"),
        };
        Some(Watcher {
            id: event.connection.clone(),
            owner,
            opened_at: event.opened_at,
            credential,
            client_name: memory.client.name.clone(),
            client_version: memory.client.version.clone(),
            watches,
            revision: self.watcher.as_ref().map_or(0, |watcher| watcher.revision) + 1,
        })
    }
}

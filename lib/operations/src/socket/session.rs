//! What the table keeps of a session between two frames.

use super::{Connection, household};
use crate::error::Error;
use crate::plane::Plane;
use tidemill_model::ids::{ConnectionId, OwnerId};
use tidemill_model::key::Credential;
use tidemill_store::{Login, Socket, Watcher};

/// What a protocol has to keep of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionState {
    /// Who is logged in, and the credential used.
    pub login: Option<(OwnerId, Credential)>,
    pub logins: u32,
    pub client_name: Option<String>,
    pub client_version: Option<String>,
    /// What it watches and was sent last, in the protocol's own form; empty if it watches nothing.
    pub watches: String,
}

/// The items of a session, as they were read.
pub struct StoredSession {
    socket: Option<Socket>,
    watcher: Option<Watcher>,
}

impl StoredSession {
    pub async fn read(plane: &Plane, id: &ConnectionId) -> Result<StoredSession, Error> {
        let socket = plane.store.socket(id).await?;
        let watcher = match socket.as_ref().and_then(|socket| socket.login.as_ref()) {
            Some(login) => plane.store.watcher(&login.owner, id).await?,
            None => None,
        };
        Ok(StoredSession { socket, watcher })
    }

    /// Whether there was never a login.
    pub fn is_stranger(&self) -> bool {
        self.socket.is_none()
    }

    pub fn state(&self) -> SessionState {
        let logins = self.socket.as_ref().map_or(0, |socket| socket.logins);
        let Some(watcher) = &self.watcher else { return SessionState { logins, ..SessionState::default() } };
        SessionState {
            login: self.login().map(|login| (login.owner.clone(), login.credential.clone())),
            logins,
            client_name: watcher.client_name.clone(),
            client_version: watcher.client_version.clone(),
            watches: watcher.watches.clone(),
        }
    }

    /// The login counts while there is a watcher: closing a socket for lack of rights deletes that first.
    fn login(&self) -> Option<&Login> {
        self.watcher.as_ref().and(self.socket.as_ref()?.login.as_ref())
    }

    /// Writes what became of the session.
    ///
    /// # Errors
    /// [`tidemill_store::Error::Rejected`] if another frame's answer has changed it since it was read.
    pub async fn write(
        &self,
        plane: &Plane,
        connection: &Connection,
        state: &SessionState,
    ) -> Result<(), tidemill_store::Error> {
        let before = self.state();
        if before == *state || (self.is_stranger() && state.login.is_none()) {
            return Ok(());
        }
        let mut transaction = plane.store.transaction();
        if before.login != state.login || before.logins != state.logins {
            transaction = transaction.socket(self.socket.as_ref(), &self.socket(connection, state))?;
        }
        if self.is_stranger() {
            transaction = transaction.no_stranger(&household(connection.peer).to_string(), &connection.id);
        }
        let owner = state.login.as_ref().map(|(owner, _)| owner);
        if let Some(gone) = self.watcher.as_ref().filter(|watcher| Some(&watcher.owner) != owner) {
            transaction = transaction.no_watcher(&gone.owner, &gone.id);
        }
        if let Some(watcher) = self.watcher(connection, state) {
            let before = self.watcher.as_ref().filter(|before| before.owner == watcher.owner);
            transaction = transaction.watcher(before, &watcher)?;
            transaction = transaction.arrival(&watcher.owner, !watcher.watches.is_empty());
        }
        transaction.commit().await
    }

    fn socket(&self, connection: &Connection, state: &SessionState) -> Socket {
        let login = state.login.clone().map(|(owner, credential)| Login { owner, credential });
        Socket {
            id: connection.id.clone(),
            opened_at: connection.opened_at,
            login,
            logins: state.logins,
            revision: self.socket.as_ref().map_or(0, |socket| socket.revision) + 1,
        }
    }

    fn watcher(&self, connection: &Connection, state: &SessionState) -> Option<Watcher> {
        let (owner, credential) = state.login.clone()?;
        Some(Watcher {
            id: connection.id.clone(),
            owner,
            opened_at: connection.opened_at,
            credential,
            client_name: state.client_name.clone(),
            client_version: state.client_version.clone(),
            watches: state.watches.clone(),
            revision: self.watcher.as_ref().map_or(0, |watcher| watcher.revision) + 1,
        })
    }
}

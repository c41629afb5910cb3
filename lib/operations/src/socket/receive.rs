//! `socket_receive`: gives a frame to the protocol with what the table keeps of its connection, and keeps what the
//! protocol makes of it.
//!
//! Two frames of one connection may be answered at once. Each change is written on condition that there was no other,
//! and before anything is sent.

use super::session::StoredSession;
use super::{Connection, LOGIN_TIME, STRANGERS_LIMIT, SessionState, household};
use crate::error::{Code, Error};
use crate::plane::Plane;
use jiff::Timestamp;

/// How often a frame is answered anew because another one changed what both build on.
const TRIES: usize = 8;

/// What becomes of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reception<T> {
    Answer(T),
    /// The socket has been open too long without a login, and has to close.
    LoginOverdue,
    /// Its household has many sockets without a login, and this one does not log in: it has to close.
    TooManyStrangers,
}

/// A frame, as far as it matters to whether it may be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    pub at: Timestamp,
    /// Whether it asks to log in.
    pub is_login: bool,
}

/// Answers a frame. `answer` is called again when another frame's answer was kept first.
pub async fn run<T, F>(
    plane: &Plane,
    connection: &Connection,
    frame: Arrival,
    answer: impl Fn(SessionState) -> F,
) -> Result<Reception<T>, Error>
where
    F: Future<Output = (SessionState, T)>,
{
    for _ in 0..TRIES {
        let stored = StoredSession::read(plane, &connection.id).await?;
        if stored.is_stranger() {
            if frame.at.duration_since(connection.opened_at) >= LOGIN_TIME {
                return Ok(Reception::LoginOverdue);
            }
            if !frame.is_login && are_many(plane, connection).await? {
                return Ok(Reception::TooManyStrangers);
            }
        }
        let (state, answered) = answer(stored.state()).await;
        match stored.write(plane, connection, &state).await {
            Ok(()) => return Ok(Reception::Answer(answered)),
            // The requests that change the state can be repeated: who is logged in, and what it watches.
            Err(tidemill_store::Error::Rejected(_)) => continue,
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::new(Code::Unavailable, "the connection kept changing while this was answered")
        .hint("send one request after the other"))
}

/// Whether more sockets of a stranger's household are without a login than may be.
async fn are_many(plane: &Plane, connection: &Connection) -> Result<bool, Error> {
    let address = household(connection.peer).to_string();
    Ok(plane.store.strangers_of(&address).await? > STRANGERS_LIMIT)
}

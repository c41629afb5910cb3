//! One connection, without its transport: who is logged in, and what is done with each frame.
//!
//! [`Session::receive`] is called with every frame in the order of arrival, and gives the work to be done for it. The
//! works of one connection may go on at the same time; each puts its answer on the outbox. What has to keep the order of
//! arrival is arranged in `receive` itself: which login a request belongs to, and the turns of a pipe.
//!
//! A transport whose process forgets everything between two frames keeps the session's [`Memory`] elsewhere, and goes on
//! with [`Session::resume`].

mod login;
mod outbox;
mod outgoing;
mod wire;

pub use outbox::{Outbox, Outgoings, outbox};
pub use outgoing::{Close, Events, Outgoing};
pub(super) use wire::watching;

use super::commands::connection::{self, LoginRefusal};
use super::commands::{self, Action, Command, is_private};
use super::connections::{Client, Connections, Seat};
use super::failure::Failure;
use super::frame::{self, Arguments, Frame, FrameContent, Head, Request};
use super::monitors::{self, Monitors};
use super::pipes::Pipes;
use super::transport::Transport;
use futures::future::{BoxFuture, FutureExt, ready};
use jiff::Timestamp;
use login::{Identity, Login, logged_in, logged_out};
use std::net::IpAddr;
use std::sync::Arc;
use tidemill_model::ids::OwnerId;
use tidemill_model::key::Credential;
use tidemill_operations::Plane;
use tidemill_operations::socket::LOGIN_TIME;
use wire::{PipePlace, Wire};

/// Logins of one socket.
const LOGINS_LIMIT: u32 = 5;
/// Largest frame up to the first login, in bytes.
pub const STRANGERS_FRAME_LIMIT: usize = 64 * 1024;

/// The work for one frame.
pub type Work = BoxFuture<'static, ()>;

/// One connection.
pub struct Session {
    wire: Arc<Wire>,
    login: Login,
    logins: u32,
    /// Those of this login: no later login reaches them, and an object that is not whole ends with them.
    pipes: Arc<Pipes>,
}

/// What a session knows beyond a frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Who is logged in, and the credential used.
    pub login: Option<(OwnerId, Credential)>,
    pub logins: u32,
    pub client: Client,
    pub monitors: monitors::MonitorState,
}

impl Session {
    /// A connection that has just opened; an error says why it closes at once.
    pub fn new(
        plane: Arc<Plane>,
        connections: Arc<Connections>,
        peer: IpAddr,
        outbox: Outbox,
    ) -> Result<Session, Close> {
        let seat = Arc::new(connections.enter(peer, plane.now()).ok_or(Close::TOO_MANY)?);
        let events = Arc::new(Events::new(Monitors::new(seat.clone()), seat.clone(), outbox));
        let wire = Wire { transport: Transport::SOCKET, plane, seat, events };
        Ok(Session { wire: Arc::new(wire), login: logged_out(), logins: 0, pipes: Arc::default() })
    }

    /// A connection that goes on where an earlier session of it ended.
    pub fn resume(plane: Arc<Plane>, transport: Transport, seat: Seat, memory: Memory, outbox: Outbox) -> Session {
        let seat = Arc::new(seat);
        let login = match memory.login {
            None => logged_out(),
            Some((owner, credential)) => {
                seat.belongs_to(Some(owner));
                logged_in(Identity::new(credential, plane.now()))
            }
        };
        let events = Arc::new(Events::new(Monitors::of(seat.clone(), memory.monitors), seat.clone(), outbox));
        let wire = Wire { transport, plane, seat, events };
        Session { wire: Arc::new(wire), login, logins: memory.logins, pipes: Arc::default() }
    }

    /// What has to be kept when its works are done.
    pub async fn memory(&self) -> Memory {
        let identity = self.login.clone().await;
        let (owner, client) = self.wire.seat.occupant();
        let login = owner.zip(identity.map(|identity| identity.credential.clone()));
        Memory { login, logins: self.logins, client, monitors: self.wire.events.monitors.kept().await }
    }

    /// Whether there was never a login.
    pub fn is_of_stranger(&self) -> bool {
        self.wire.seat.is_stranger()
    }

    /// Takes a frame; the work that it gives may be done in any order with the others.
    pub fn receive(&mut self, frame: Frame) -> Work {
        self.wire.seat.received(self.wire.plane.now());
        if frame.len() > STRANGERS_FRAME_LIMIT && self.is_of_stranger() {
            return self.wire.closing(Close::TOO_LARGE);
        }
        match frame::read(frame) {
            FrameContent::Request(request) => self.request(request),
            FrameContent::Nothing => ready(()).boxed(),
            FrameContent::Refused(head, failure) => self.refuse(head, failure),
            FrameContent::Unreadable(reason) => self.wire.closing(Close { code: 1007, reason }),
        }
    }

    /// To be called from time to time, at the latest when [`LOGIN_TIME`] is over and every 30 s: looks whether the
    /// connection may stay.
    pub fn look(&self, now: Timestamp) -> Work {
        let wire = self.wire.clone();
        match self.login.peek() {
            Some(Some(identity)) if identity.is_due(now) => {
                let identity = identity.clone();
                async move { wire.check(&identity).await }.boxed()
            }
            Some(Some(_)) => ready(()).boxed(),
            _ if !wire.seat.is_stranger() || now.duration_since(wire.seat.since()) < LOGIN_TIME => ready(()).boxed(),
            _ => wire.closing(Close::LATE),
        }
    }

    /// To be called every second: sends what has changed of what the connection watches.
    pub fn notify(&self) -> Option<Work> {
        if self.wire.events.monitors.is_empty() {
            return None;
        }
        let (wire, login) = (self.wire.clone(), self.login.clone());
        Some(async move { wire.notify(&login).await }.boxed())
    }

    fn request(&mut self, Request { head, arguments }: Request) -> Work {
        let command = commands::find(&head.command, &arguments);
        match command {
            Ok(Command { action: Action::LogIn, .. }) => self.log_in(head, arguments),
            Ok(Command { action: Action::LogOut, .. }) => self.log_out(head),
            command => {
                let (wire, login) = (self.wire.clone(), self.login.clone());
                let place = self.place(&command, &arguments);
                async move {
                    let outcome = wire.call(&login, &head, command, arguments, place).await;
                    wire.reply(&head, outcome);
                }
                .boxed()
            }
        }
    }

    /// Takes a turn at the pipe that a request concerns.
    fn place(&self, command: &Result<&Command, Failure>, arguments: &Arguments) -> PipePlace {
        let carries_objects = command.as_ref().is_ok_and(|command| command.carries_objects());
        let pipe = carries_objects.then(|| commands::pipe_id(arguments)).flatten();
        PipePlace { pipes: self.pipes.clone(), turn: pipe.map(|pipe| self.pipes.turn(pipe)) }
    }

    fn refuse(&self, head: Head, failure: Failure) -> Work {
        let (wire, login) = (self.wire.clone(), self.login.clone());
        async move {
            let failure = match login.await {
                None if is_private(&head.command) => Failure::not_authenticated(),
                _ => failure,
            };
            wire.reply(&head, Err(failure));
        }
        .boxed()
    }

    fn log_in(&mut self, head: Head, arguments: Arguments) -> Work {
        self.logins += 1;
        self.pipes = Arc::default();
        let wire = self.wire.clone();
        if self.logins > LOGINS_LIMIT {
            let failure = Failure { is_final: true, ..Failure::new("Too many authentication attempts") };
            return async move { wire.reply(&head, Err(failure)) }.boxed();
        }
        let login = {
            let (wire, before) = (wire.clone(), self.login.clone());
            async move {
                before.await;
                match wire.log_in(&arguments).await {
                    Ok((identity, body)) => {
                        wire.reply(&head, Ok(body));
                        Some(Arc::new(identity))
                    }
                    Err(LoginRefusal::Credential(failure)) => {
                        wire.reply(&head, Err(failure));
                        None
                    }
                    // Clients give up for good when a login is answered with a failure, and come again when it is not.
                    Err(LoginRefusal::Trouble) => {
                        wire.close(Close::TROUBLE);
                        None
                    }
                }
            }
        };
        self.login = login.boxed().shared();
        self.login.clone().map(|_| ()).boxed()
    }

    fn log_out(&mut self, head: Head) -> Work {
        self.pipes = Arc::default();
        let wire = self.wire.clone();
        let before = std::mem::replace(&mut self.login, logged_out());
        let logout = async move {
            let outcome = match before.await {
                Some(_) => Ok(connection::nothing()),
                None => Err(Failure::not_authenticated()),
            };
            wire.seat.logs_out();
            wire.events.monitors.forget();
            wire.reply(&head, outcome);
            None
        };
        self.login = logout.boxed().shared();
        self.login.clone().map(|_| ()).boxed()
    }
}

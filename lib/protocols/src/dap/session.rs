//! One connection, without its transport: who is logged in, and what is done with each frame.
//!
//! [`Session::receive`] is called with every frame in the order of arrival, and gives the work to be done for it. The
//! works of one connection may go on at the same time; each puts its answer on the outbox. What has to keep the order of
//! arrival is arranged in `receive` itself: which login a request belongs to, and the turns of a pipe.
//!
//! A transport whose process forgets everything between two frames keeps the session's [`Memory`] elsewhere, and goes on
//! with [`Session::resume`].

use super::commands::{self, Asked, Command, Needs, login, process};
use super::connections::{Client, Connections, Seat};
use super::events::Asker;
use super::failure::Failure;
use super::frame::{self, Arguments, Body, Frame, Head, Received, Request};
use super::monitors::{self, Monitors};
use super::pipes::{Pipes, Turn};
use super::transport::Transport;
use futures::channel::mpsc::UnboundedSender;
use futures::future::{BoxFuture, FutureExt, Shared, ready};
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use tidemill_model::ids::OwnerId;
use tidemill_model::key::{Credential, Scope};
use tidemill_operations::access::{self, caller::Caller};
use tidemill_operations::{Call, Code, Error, Plane};

/// How long a socket may be open before its first login.
pub const LOGIN_TIME: SignedDuration = SignedDuration::from_secs(5);
/// How often the key of a connection that is silent is looked at. A revoked key closes its sockets within a minute.
const RECHECK: SignedDuration = SignedDuration::from_secs(30);
/// Logins of one socket.
const LOGINS_LIMIT: u32 = 5;
/// Largest frame up to the first login, in bytes.
const STRANGERS_FRAME_LIMIT: usize = 64 * 1024;

/// What goes out to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// One line of JSON.
    Text(String),
    /// The last thing that is sent.
    Close(Close),
}

/// Why a socket is closed. <https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Close {
    pub code: u16,
    pub reason: &'static str,
}

impl Close {
    /// The plane stops.
    pub const AWAY: Close = Close { code: 1001, reason: "the plane stops" };
    pub const TOO_LARGE: Close = Close { code: 1009, reason: "the frame is too large" };
    pub const TOO_MANY: Close = Close { code: 1008, reason: "too many sockets of this address did not log in" };
    const LOGIN: Close = Close { code: 1008, reason: "not logged in" };
    pub(crate) const TROUBLE: Close = Close { code: 1013, reason: "try again in a moment" };
    pub(crate) const LATE: Close = Close { code: 1008, reason: "no login within 5 s" };
}

/// The work for one frame.
pub type Work = BoxFuture<'static, ()>;

/// One connection.
pub struct Session {
    wire: Arc<Wire>,
    login: Login,
    logins: u32,
    /// Those of the login: nobody who logs in later comes by them, and what is not whole ends when they go.
    pipes: Arc<Pipes>,
}

/// What a login came to, once it has. Requests that came after it wait for it; `None` is that nobody is logged in.
type Login = Shared<BoxFuture<'static, Option<Arc<Identity>>>>;

struct Identity {
    credential: Credential,
    checked_at: Mutex<Timestamp>,
}

/// What a session knows beyond a frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Who is logged in, and what with.
    pub login: Option<(OwnerId, Credential)>,
    pub logins: u32,
    pub client: Client,
    pub monitors: monitors::Kept,
}

/// What all works of a connection share.
struct Wire {
    transport: Transport,
    plane: Arc<Plane>,
    seat: Arc<Seat>,
    events: Arc<Events>,
}

/// A request's part in the objects that arrive: the pipes of its login, and its place in the order of its pipe.
struct Part {
    pipes: Arc<Pipes>,
    turn: Option<Turn>,
}

/// What goes out: answers, and what the connection wants to be told.
pub struct Events {
    pub monitors: Monitors,
    seat: Arc<Seat>,
    outbox: UnboundedSender<Outgoing>,
}

impl Events {
    /// Tells the client something.
    pub fn send(&self, name: &str, body: &serde_json::Value) {
        self.put(Outgoing::Text(frame::event(self.seat.sends(), name, body)));
    }

    /// What is sent to a client that is gone is for nobody.
    fn put(&self, outgoing: Outgoing) {
        let _ = self.outbox.unbounded_send(outgoing);
    }
}

impl Session {
    /// A connection that was just opened; an error says why it is closed at once.
    pub fn new(
        plane: Arc<Plane>,
        connections: Arc<Connections>,
        peer: IpAddr,
        outbox: UnboundedSender<Outgoing>,
    ) -> Result<Session, Close> {
        let seat = connections.enter(peer, plane.now()).ok_or(Close::TOO_MANY)?;
        let seat = Arc::new(seat);
        let events = Arc::new(Events { monitors: Monitors::new(seat.clone()), seat: seat.clone(), outbox });
        let wire = Wire { transport: Transport::SOCKET, plane, seat, events };
        Ok(Session { wire: Arc::new(wire), login: nobody(), logins: 0, pipes: Arc::default() })
    }

    /// A connection that goes on where an earlier session of it came to.
    pub fn resume(
        plane: Arc<Plane>,
        transport: Transport,
        seat: Seat,
        memory: Memory,
        outbox: UnboundedSender<Outgoing>,
    ) -> Session {
        let seat = Arc::new(seat);
        let login = match memory.login {
            None => nobody(),
            Some((owner, credential)) => {
                seat.belongs_to(Some(owner));
                let identity = Identity { credential, checked_at: Mutex::new(plane.now()) };
                ready(Some(Arc::new(identity))).boxed().shared()
            }
        };
        let events =
            Arc::new(Events { monitors: Monitors::of(seat.clone(), memory.monitors), seat: seat.clone(), outbox });
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

    /// Takes a frame; the work that it gives is to be done, in any order with the others.
    pub fn receive(&mut self, frame: Frame) -> Work {
        self.wire.seat.received(self.wire.plane.now());
        if frame.len() > STRANGERS_FRAME_LIMIT && self.logins == 0 {
            return self.wire.closing(Close::TOO_LARGE);
        }
        match frame::read(frame) {
            Received::Request(request) => self.request(request),
            Received::Nothing => ready(()).boxed(),
            Received::Refused(head, failure) => self.refuse(head, failure),
            Received::Unreadable(reason) => self.wire.closing(Close { code: 1007, reason }),
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

    /// To be called every second: tells what has changed of what the connection monitors.
    pub fn tell(&self) -> Option<Work> {
        if self.wire.events.monitors.is_empty() {
            return None;
        }
        let (wire, login) = (self.wire.clone(), self.login.clone());
        Some(async move { wire.tell(&login).await }.boxed())
    }

    fn request(&mut self, Request { head, arguments }: Request) -> Work {
        match head.command.as_str() {
            "auth" => self.log_in(head, arguments),
            "deauth" => self.log_out(head),
            _ => {
                let (wire, login) = (self.wire.clone(), self.login.clone());
                let part = self.part(&head, &arguments);
                async move {
                    let outcome = wire.call(&login, &head.command, arguments, part).await;
                    wire.reply(&head, outcome);
                }
                .boxed()
            }
        }
    }

    /// Takes its turn at the pipe that a request concerns.
    fn part(&self, head: &Head, arguments: &Arguments) -> Part {
        let pipe = (head.command == "rrext_process").then(|| process::pipe_id(arguments)).flatten();
        Part { pipes: self.pipes.clone(), turn: pipe.map(|pipe| self.pipes.turn(pipe)) }
    }

    fn refuse(&self, head: Head, failure: Failure) -> Work {
        let (wire, login) = (self.wire.clone(), self.login.clone());
        async move {
            let is_public = commands::is_public(&head.command) || head.command == "auth";
            let failure = match login.await {
                None if !is_public => Failure::not_authenticated(),
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
                    Err(login::Refused::Credential(failure)) => {
                        wire.reply(&head, Err(failure));
                        None
                    }
                    // Clients give up for good when a login is answered with a failure, and come again when it is not.
                    Err(login::Refused::Trouble) => {
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
        let before = std::mem::replace(&mut self.login, nobody());
        let logout = async move {
            let outcome = match before.await {
                Some(_) => Ok(login::nothing()),
                None => Err(Failure::not_authenticated()),
            };
            wire.seat.belongs_to(None);
            wire.events.monitors.forget();
            wire.reply(&head, outcome);
            None
        };
        self.login = logout.boxed().shared();
        self.login.clone().map(|_| ()).boxed()
    }
}

fn nobody() -> Login {
    ready(None).boxed().shared()
}

impl Identity {
    fn is_due(&self, now: Timestamp) -> bool {
        now.duration_since(*self.checked_at()) >= RECHECK
    }

    fn checked_at(&self) -> std::sync::MutexGuard<'_, Timestamp> {
        self.checked_at.lock().expect("nobody panics while holding it")
    }
}

impl Wire {
    async fn log_in(&self, arguments: &Arguments) -> Result<(Identity, Body), login::Refused> {
        self.seat.belongs_to(None);
        let credential = login::credential(arguments)?;
        let known_by = access::caller::known_by(Some(credential.expose_secret()))?;
        let caller = access::caller::behind(&self.plane, &known_by).await?;
        self.seat.is_client(Client::of(arguments)?);
        self.seat.belongs_to(Some(caller.owner().clone()));
        let body = login::answer(&self.plane, &caller, &credential).await?;
        Ok((Identity { credential: known_by, checked_at: Mutex::new(self.plane.now()) }, body))
    }

    /// Calls a command for whoever is logged in.
    async fn call(&self, login: &Login, name: &str, arguments: Arguments, part: Part) -> Result<Body, Failure> {
        let identity = login.clone().await;
        if let Some(public) = commands::public(name) {
            return public(&self.plane);
        }
        let Some(identity) = identity else {
            return Err(match commands::is_public(name) {
                true => Failure::unknown_command(name),
                false => Failure::not_authenticated(),
            });
        };
        let caller = self.authenticated(&identity).await?;
        let command = commands::named(name).ok_or_else(|| Failure::unknown_command(name))?;
        self.run(command, &caller, arguments, part).await
    }

    async fn run(
        &self,
        command: &Command,
        caller: &Caller,
        mut arguments: Arguments,
        Part { pipes, turn }: Part,
    ) -> Result<Body, Failure> {
        let call = self.allowed(command.needs, caller, &mut arguments)?;
        self.transport.carries(command.name)?;
        let (plane, seat, events) = (self.plane.clone(), self.seat.clone(), self.events.clone());
        let task = matches!(caller, Caller::Task(_)).then(|| caller.task(None)).flatten();
        let work = (command.handle)(Asked { plane, seat, call, task, arguments, pipes, turn, events });
        // A client waits for its answer without a limit, so even a bug has to answer.
        let caught = AssertUnwindSafe(work).catch_unwind().await;
        caught.unwrap_or_else(|_| Err(Error::internal(format!("`{}` panicked", command.name)).into()))
    }

    /// The call of somebody who may do it.
    fn allowed(&self, needs: Needs, caller: &Caller, arguments: &mut Arguments) -> Result<Call, Failure> {
        let confined = match caller {
            Caller::Key(call) => {
                if let Needs::Scope(scope) | Needs::Task(scope) = needs {
                    access::authenticate::check(call, scope).map_err(|_| Failure::denied(scope))?;
                }
                return Ok(call.clone());
            }
            Caller::Task(confined) => confined,
        };
        let given = arguments.text("token")?.filter(|token| !token.is_empty());
        let (scope, task) = match needs {
            Needs::Login => return Ok(confined.without_rights(self.plane.now())),
            Needs::Scope(scope) => return Err(Failure::denied(scope)),
            Needs::Task(scope) => (scope, caller.task(given.as_deref())),
            Needs::Watch => {
                let task = caller.task(given.as_deref());
                let call = watching(caller, task.as_deref())?.clone();
                // Whoever names a project is held to the task's own by the command.
                let project = arguments.text("projectId")?.filter(|project| !project.is_empty());
                if let Some(task) = task.filter(|_| given.is_some() || project.is_none()) {
                    arguments.set_text("token", &task);
                }
                return Ok(call);
            }
        };
        let call = caller.call(scope, task.as_deref())?;
        if let Some(task) = &task {
            arguments.set_text("token", task);
        }
        Ok(call.clone())
    }

    /// Asks the table with each request: a key that was revoked can do nothing.
    async fn authenticated(&self, identity: &Identity) -> Result<Caller, Failure> {
        let caller = access::caller::behind(&self.plane, &identity.credential).await?;
        *identity.checked_at() = self.plane.now();
        Ok(caller)
    }

    async fn tell(&self, login: &Login) {
        let Some(identity) = login.clone().await else { return };
        let Ok(caller) = self.authenticated(&identity).await else { return };
        // A task's token monitors that task alone.
        let Ok(call) = watching(&caller, caller.task(None).as_deref()) else { return };
        let asker = Asker { plane: &self.plane, call, connections: self.seat.connections() };
        match self.events.monitors.changes(&asker).await {
            Ok(changes) => changes.iter().for_each(|(name, body)| self.events.send(name, body)),
            Err(error) => tracing::debug!(%error, "what a connection monitors could not be read"),
        }
    }

    async fn check(&self, identity: &Identity) {
        match access::caller::behind(&self.plane, &identity.credential).await {
            Ok(_) => *identity.checked_at() = self.plane.now(),
            Err(error) if matches!(error.code, Code::Unauthenticated | Code::NotFound) => self.close(Close::LOGIN),
            // The table did not answer; that says nothing about the key.
            Err(_) => {}
        }
    }

    fn reply(&self, head: &Head, outcome: Result<Body, Failure>) {
        self.events.put(Outgoing::Text(frame::answer(self.seat.sends(), head, &outcome, &self.transport)));
        if outcome.is_err_and(|failure| failure.is_final) {
            self.close(Close::LOGIN);
        }
    }

    fn close(&self, close: Close) {
        self.events.put(Outgoing::Close(close));
    }

    fn closing(self: &Arc<Self>, close: Close) -> Work {
        let wire = self.clone();
        async move { wire.close(close) }.boxed()
    }
}

/// The call of somebody who monitors: what its scopes are decides what it is told. Who may only send is told of messages.
pub(crate) fn watching<'a>(caller: &'a Caller, task: Option<&str>) -> Result<&'a Call, Error> {
    caller.call(Scope::Monitor, task).or_else(|refused| caller.call(Scope::Data, task).map_err(|_| refused))
}

//! The WebSockets of RocketRide's clients that this process holds.
//!
//! Moves frames between a socket and its session, and closes the one when the other does. `protocols::dap` reads the
//! frames.

use crate::door::stop;
use crate::front::sent;
use crate::guarded::Standing;
use crate::origin::is_same_origin;
use axum::body::Body;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{ConnectInfo, FromRequestParts, State};
use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tidemill_operations::socket::LOGIN_TIME;
use tidemill_operations::{Code, Error, Plane};
use tidemill_protocols::dap::{
    Close, Connections, FRAME_LIMIT, Frame, Outgoing, Outgoings, PATH, STRANGERS_FRAME_LIMIT, Session, Work, outbox,
};
use tidemill_protocols::rest::Response;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

/// How often the plane sends a ping, and looks whether the connection may stay: as often as the clients ping.
const LOOK_INTERVAL: Duration = Duration::from_secs(15);
/// How often a connection gets the events of what it watches.
const NOTIFY_INTERVAL: Duration = Duration::from_secs(1);
/// A client of which nothing was heard for so long is gone. Clients wait as long for the plane.
const SILENCE_LIMIT: Duration = Duration::from_secs(300);
/// How long one frame may take to be sent.
const SEND_LIMIT: Duration = Duration::from_secs(60);
/// How long the other side may take to answer a close frame.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);
/// How long a plane that stops waits for what a client has asked before.
const DRAIN_LIMIT: Duration = Duration::from_secs(2);
/// Requests of one socket that are worked on at once, and their bytes; meanwhile no more are read. Many objects may wait
/// for a task's threads, whose frames have to be read meanwhile.
const WORKS: usize = 65_536;
const BYTES_IN_HAND: usize = 64 * 1024 * 1024;
/// Bytes read at once. Each open socket keeps as many.
const READ_BUFFER: usize = 4 * 1024;
/// Bytes that a caller may send before it has logged in: a frame of the largest size, with what frames it.
const STRANGERS_BYTES: usize = STRANGERS_FRAME_LIMIT + 4 * 1024;
/// Bytes that wait to be sent at most: a frame of the largest size, beside one that is being sent.
const WRITE_BUFFER_LIMIT: usize = 2 * FRAME_LIMIT;

#[derive(Clone)]
struct Sockets {
    plane: Arc<Plane>,
    connections: Arc<Connections>,
    stopped: watch::Receiver<bool>,
}

/// The route of the WebSocket; its sockets are closed when the plane stops.
pub fn route(plane: Arc<Plane>, stopped: watch::Receiver<bool>) -> axum::Router {
    let sockets = Sockets { connections: Arc::new(Connections::new(&plane)), plane, stopped };
    axum::Router::new().route(PATH, axum::routing::any(open)).with_state(sockets)
}

async fn open(State(sockets): State<Sockets>, request: axum::extract::Request) -> http::Response<Body> {
    let (mut parts, _) = request.into_parts();
    let Ok(upgrade) = WebSocketUpgrade::from_request_parts(&mut parts, &()).await else {
        let error = Error::new(Code::InvalidArgument, format!("`{PATH}` takes WebSockets only"))
            .hint("connect to it with a RocketRide client, or use the paths of the HTTP API");
        return sent(Response::error(&error));
    };
    if !is_same_origin(&parts.headers) {
        let error = Error::new(Code::PermissionDenied, "a page of another origin may not connect")
            .hint("connect from a program, or from a page of this host");
        return sent(Response::error(&error));
    }
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let standing = parts.extensions.remove::<Arc<Standing>>();
    if let Some(standing) = &standing {
        standing.allow(STRANGERS_BYTES);
    }
    upgrade
        .max_message_size(FRAME_LIMIT)
        .max_frame_size(FRAME_LIMIT)
        .max_write_buffer_size(WRITE_BUFFER_LIMIT)
        .read_buffer_size(READ_BUFFER)
        .on_upgrade(move |socket| serve(socket, sockets, Caller { peer, standing }))
}

/// The other side of a connection.
struct Caller {
    peer: IpAddr,
    /// None where no front door took the connection.
    standing: Option<Arc<Standing>>,
}

async fn serve(mut socket: WebSocket, mut sockets: Sockets, caller: Caller) {
    let close = match first_frame(&mut socket, &mut sockets.stopped).await {
        Ok(frame) => converse(&mut socket, sockets, &caller, frame).await,
        Err(close) => close,
    };
    say_goodbye(socket, close).await;
}

/// Waits for the first frame. A socket that is silent takes no turn from those that log in.
async fn first_frame(socket: &mut WebSocket, stopped: &mut watch::Receiver<bool>) -> Result<Frame, Option<Close>> {
    let frame = async {
        loop {
            if let Some(frame) = frame(socket).await? {
                return Ok(frame);
            }
        }
    };
    tokio::select! {
        frame = timeout(Duration::try_from(LOGIN_TIME).unwrap_or_default(), frame) => {
            frame.unwrap_or(Err(Some(Close::LATE)))
        }
        () = stop(stopped) => Err(Some(Close::AWAY)),
    }
}

/// The next frame that has something in it, `None` for another; an error says what the socket is closed with.
async fn frame(socket: &mut WebSocket) -> Result<Option<Frame>, Option<Close>> {
    match socket.recv().await.ok_or(None)? {
        Ok(Message::Text(text)) => Ok(Some(Frame::Text(text.into()))),
        Ok(Message::Binary(bytes)) => Ok(Some(Frame::Binary(bytes))),
        Ok(Message::Ping(_)) => {
            // Its answer waits to be sent: no more is read of a client that does not read.
            timeout(SEND_LIMIT, socket.flush()).await.ok().and_then(Result::ok).ok_or(None)?;
            Ok(None)
        }
        Ok(Message::Pong(_)) => Ok(None),
        Ok(Message::Close(_)) => Err(None),
        Err(error) => Err(broken(&error)),
    }
}

/// Serves a client that has sent its first frame, until one side ends it.
async fn converse(socket: &mut WebSocket, mut sockets: Sockets, caller: &Caller, first: Frame) -> Option<Close> {
    let (outbox, outgoing) = outbox();
    let peer = caller.peer;
    let (plane, connections) = (sockets.plane.clone(), sockets.connections.clone());
    let session = loop {
        match Session::new(plane.clone(), connections.clone(), peer, outbox.clone()) {
            // Many connect at once, e.g. after the plane was started anew: their frames wait in the sockets.
            Err(Close::TOO_MANY) => match turn(&connections, peer, &mut sockets.stopped).await {
                Ok(()) => {}
                Err(close) => break Err(close),
            },
            session => break session,
        }
    };
    drop(outbox);
    let mut connection = match session {
        Ok(session) => Connection::new(socket, session, outgoing, caller.standing.clone()),
        Err(close) => return Some(close),
    };
    connection.receive(first);
    let close = connection.run(&mut sockets.stopped).await;
    // What was asked for is done, also for a client that is gone.
    connection.works.detach_all();
    close
}

/// Waits for a turn to log in.
async fn turn(connections: &Arc<Connections>, peer: IpAddr, stopped: &mut watch::Receiver<bool>) -> Result<(), Close> {
    tokio::select! {
        is_free = connections.turn(peer) => if is_free { Ok(()) } else { Err(Close::TOO_MANY) },
        () = stop(stopped) => Err(Close::AWAY),
    }
}

struct Connection<'a> {
    socket: &'a mut WebSocket,
    session: Session,
    outgoing: Outgoings,
    /// Its limits for strangers, until it has logged in.
    standing: Option<Arc<Standing>>,
    /// The requests in hand; each ends in how many bytes it had.
    works: JoinSet<usize>,
    bytes_in_hand: usize,
    heard_at: Instant,
}

impl Connection<'_> {
    fn new(
        socket: &mut WebSocket,
        session: Session,
        outgoing: Outgoings,
        standing: Option<Arc<Standing>>,
    ) -> Connection<'_> {
        let (works, heard_at) = (JoinSet::new(), Instant::now());
        Connection { socket, session, outgoing, standing, works, bytes_in_hand: 0, heard_at }
    }

    /// Serves it until one side ends it; `None` when no close frame can reach the client.
    async fn run(&mut self, stopped: &mut watch::Receiver<bool>) -> Option<Close> {
        // A moment later than the session's own clock will have it.
        let first_look = Duration::try_from(LOGIN_TIME).unwrap_or_default() + Duration::from_millis(50);
        let mut looks = interval_at(Instant::now() + first_look, LOOK_INTERVAL);
        let mut notifications = interval_at(Instant::now() + NOTIFY_INTERVAL, NOTIFY_INTERVAL);
        notifications.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.know();
            let has_room = self.works.len() < WORKS && self.bytes_in_hand < BYTES_IN_HAND;
            tokio::select! {
                biased;
                Some(outgoing) = self.outgoing.next() => match outgoing {
                    Outgoing::Text(text) => self.send(Message::Text(text.into())).await.ok()?,
                    Outgoing::Close(close) => return Some(close),
                },
                Some(done) = self.works.join_next() => self.settle(done)?,
                () = stop(stopped) => return self.drain().await,
                _ = looks.tick() => {
                    if self.heard_at.elapsed() > SILENCE_LIMIT {
                        return None;
                    }
                    self.send(Message::Ping(Bytes::new())).await.ok()?;
                    self.start(self.session.look(now()), 0);
                }
                _ = notifications.tick() => {
                    if let Some(work) = self.session.notify() {
                        self.start(work, 0);
                    }
                }
                received = frame(self.socket), if has_room => {
                    self.heard_at = Instant::now();
                    match received {
                        Ok(Some(frame)) => self.receive(frame),
                        Ok(None) => {}
                        Err(close) => return close,
                    }
                }
            }
        }
    }

    /// Takes the limits for strangers away from a client that has logged in. Its login is answered after that is known, so nothing
    /// that it sends upon the answer is measured by them.
    fn know(&mut self) {
        if !self.session.is_of_stranger()
            && let Some(standing) = self.standing.take()
        {
            standing.is_known();
        }
    }

    fn receive(&mut self, frame: Frame) {
        let bytes = frame.len();
        let work = self.session.receive(frame);
        self.start(work, bytes);
    }

    fn start(&mut self, work: Work, bytes: usize) {
        self.bytes_in_hand += bytes;
        self.works.spawn(async move {
            work.await;
            bytes
        });
    }

    fn settle(&mut self, done: Result<usize, JoinError>) -> Option<()> {
        match done {
            Ok(bytes) => {
                self.bytes_in_hand -= bytes;
                Some(())
            }
            Err(error) => {
                tracing::error!(%error, "a request was not answered");
                None
            }
        }
    }

    /// The plane stops: what was asked is still answered, if it does not take long.
    async fn drain(&mut self) -> Option<Close> {
        let all = async { while self.works.join_next().await.is_some() {} };
        if timeout(DRAIN_LIMIT, all).await.is_err() {
            tracing::debug!("requests were cut off by the stop");
        }
        while let Some(Outgoing::Text(text)) = self.outgoing.pop() {
            self.send(Message::Text(text.into())).await.ok()?;
        }
        Some(Close::AWAY)
    }

    async fn send(&mut self, message: Message) -> Result<(), ()> {
        match timeout(SEND_LIMIT, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(()),
        }
    }
}

/// What a socket that cannot be read any more is closed with.
fn broken(error: &axum::Error) -> Option<Close> {
    // axum gives no kind of this error, only its text.
    let is_too_large = error.to_string().contains("too long") || error.to_string().contains("too big");
    is_too_large.then_some(Close::TOO_LARGE)
}

/// Sends the close frame and waits for its answer: a socket that is dropped with unread frames in it is reset, and
/// takes what was sent last with it.
async fn say_goodbye(mut socket: WebSocket, close: Option<Close>) {
    let goodbye = async {
        if let Some(Close { code, reason }) = close {
            let frame = CloseFrame { code, reason: reason.into() };
            if socket.send(Message::Close(Some(frame))).await.is_err() {
                return;
            }
        }
        while let Some(Ok(_)) = socket.recv().await {}
    };
    // Nothing more can be done for a client that does not answer.
    let _ = timeout(CLOSE_LIMIT, goodbye).await;
}

#[expect(clippy::disallowed_methods, reason = "a socket is held in real time")]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

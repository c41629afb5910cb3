//! A client of RocketRide's, without a socket between it and the plane.

use crate::plane::TestPlane;
use crate::user::User;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};
use tidemill_protocols::dap::{Close, Frame, Outgoing, Outgoings, Session, Work, outbox};

/// A client's socket.
pub struct Dap {
    session: Session,
    outgoing: Outgoings,
    last_seq: u64,
}

impl TestPlane {
    /// A socket without a login; an error when it is closed at once.
    pub fn stranger(&self, peer: u8) -> Result<Dap, Close> {
        let (outbox, outgoing) = outbox();
        let peer = IpAddr::V4(Ipv4Addr::new(192, 0, 2, peer));
        let session = Session::new(self.plane.clone(), self.connections.clone(), peer, outbox)?;
        Ok(Dap { session, outgoing, last_seq: 0 })
    }

    /// A socket that waits for its turn to log in, as those of the local plane do.
    pub async fn newcomer(&self, peer: u8) -> Result<Dap, Close> {
        loop {
            match self.stranger(peer) {
                Err(Close::TOO_MANY) if self.connections.turn(IpAddr::V4(Ipv4Addr::new(192, 0, 2, peer))).await => {}
                opened => return opened,
            }
        }
    }

    /// A socket on which a user has logged in.
    pub async fn socket(&self, user: &User) -> Dap {
        let mut dap = self.stranger(1).expect("there is room");
        dap.ask("auth", json!({"auth": user.key})).await.ok();
        dap
    }
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply(pub Value);

impl Reply {
    /// The body of a success; anything else fails the test.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert_eq!(self.0["success"], true, "{}", self.0);
        self.0["body"].clone()
    }

    /// The message of a failure; anything else fails the test.
    #[track_caller]
    pub fn refused(self) -> String {
        assert_eq!(self.0["success"], false, "{}", self.0);
        self.0["message"].as_str().expect("a failure has a message").to_owned()
    }
}

impl Dap {
    /// Asks, and waits for the answer.
    pub async fn ask(&mut self, command: &str, arguments: Value) -> Reply {
        self.send(command, arguments).await;
        self.reply()
    }

    /// Sends a request; its work is still to be done.
    pub fn send(&mut self, command: &str, arguments: Value) -> Work {
        self.last_seq += 1;
        let request = json!({"type": "request", "seq": self.last_seq, "command": command, "arguments": arguments});
        self.session.receive(Frame::Text(request.to_string().into()))
    }

    pub fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// Sends any frame and does its work.
    pub async fn frame(&mut self, frame: Frame) {
        self.session.receive(frame).await;
    }

    /// What the transport does from time to time.
    pub async fn look(&mut self, world: &TestPlane) {
        self.session.look(world.now()).await;
    }

    /// What the transport does every second.
    pub async fn notify(&mut self) {
        if let Some(work) = self.session.notify() {
            work.await;
        }
    }

    /// The events that went out since, name and body each, until an answer comes or nothing more.
    pub fn events(&mut self) -> Vec<(String, Value)> {
        let mut events = Vec::new();
        while let Some(Outgoing::Text(text)) = self.sent() {
            let frame: Value = serde_json::from_str(&text).expect("an event is JSON");
            events.push((frame["event"].as_str().unwrap_or_default().to_owned(), frame["body"].clone()));
        }
        events
    }

    /// What went out next, if anything did.
    pub fn sent(&mut self) -> Option<Outgoing> {
        self.outgoing.pop()
    }

    /// The answer that went out next.
    #[track_caller]
    pub fn reply(&mut self) -> Reply {
        match self.sent() {
            Some(Outgoing::Text(text)) => Reply(serde_json::from_str(&text).expect("an answer is JSON")),
            other => panic!("an answer was expected, not {other:?}"),
        }
    }

    /// The code of the close frame that went out next, if one did.
    #[track_caller]
    pub fn closed(&mut self) -> Option<u16> {
        match self.sent()? {
            Outgoing::Close(close) => Some(close.code),
            Outgoing::Text(text) => panic!("a close frame was expected, not {text}"),
        }
    }
}

//! API Gateway with its WebSockets, and clients of RocketRide's that are connected to it.

use crate::dap::Reply;
use crate::plane::TestPlane;
use crate::user::User;
use futures::future::{BoxFuture, ready};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tidemill_model::ids::ConnectionId;
use tidemill_operations::socket::Connection;
use tidemill_operations::{Error, Plane, Reached, Sockets};
use tidemill_protocols::dap::api_gateway::{SocketEvent, SocketOutcome};
use tidemill_protocols::functions::{self, On};

/// What was sent on each WebSocket that is open.
#[derive(Default)]
pub struct ApiGateway {
    open: Mutex<BTreeMap<ConnectionId, VecDeque<String>>>,
    opened: AtomicUsize,
}

impl ApiGateway {
    fn open(&self) -> std::sync::MutexGuard<'_, BTreeMap<ConnectionId, VecDeque<String>>> {
        self.open.lock().expect("no panic happens while it is held")
    }

    /// How many are open.
    pub fn count(&self) -> usize {
        self.open().len()
    }
}

impl Sockets for ApiGateway {
    fn send<'a>(&'a self, connection: &'a ConnectionId, text: &'a str) -> BoxFuture<'a, Result<Reached, Error>> {
        let reached = match self.open().get_mut(connection) {
            Some(sent) => {
                sent.push_back(text.to_owned());
                Reached::Yes
            }
            None => Reached::Gone,
        };
        Box::pin(ready(Ok(reached)))
    }

    fn close<'a>(&'a self, connection: &'a ConnectionId) -> BoxFuture<'a, Result<(), Error>> {
        self.open().remove(connection);
        Box::pin(ready(Ok(())))
    }
}

/// A client that is connected to API Gateway.
pub struct Visitor {
    plane: Arc<Plane>,
    gateway: Arc<ApiGateway>,
    pub connection: ConnectionId,
    peer: IpAddr,
    opened_at: Timestamp,
    last_seq: u64,
}

impl TestPlane {
    /// The same plane behind API Gateway.
    pub fn behind_api_gateway(mut self) -> TestPlane {
        let plane = Arc::get_mut(&mut self.plane).expect("it is the only holder");
        plane.sockets = Some(self.gateway.clone());
        self
    }

    /// A client that connects from an address; an error is the status that refuses it.
    pub async fn visitor(&self, peer: u8) -> Result<Visitor, u16> {
        let number = self.gateway.opened.fetch_add(1, Ordering::Relaxed);
        let visitor = Visitor {
            plane: self.plane.clone(),
            gateway: self.gateway.clone(),
            connection: ConnectionId::parse(format!("c{number}=")).expect("the id is well formed"),
            peer: IpAddr::V4(Ipv4Addr::new(192, 0, 2, peer)),
            opened_at: self.now(),
            last_seq: 0,
        };
        match visitor.call("socket_open", None).await.expect("it is let in or not") {
            SocketOutcome::Taken => {
                self.gateway.open().insert(visitor.connection.clone(), VecDeque::new());
                Ok(visitor)
            }
            SocketOutcome::Refused(status) => Err(status),
        }
    }

    /// A user who has connected and logged in.
    pub async fn visits(&self, user: &User) -> Visitor {
        let mut visitor = self.visitor(1).await.expect("there is room");
        visitor.ask("auth", json!({"auth": user.key})).await.ok();
        visitor
    }
}

impl Visitor {
    /// The same client, whose frames another process answers.
    pub fn at(&self, world: &TestPlane) -> Visitor {
        Visitor {
            plane: world.plane.clone(),
            gateway: self.gateway.clone(),
            connection: self.connection.clone(),
            ..*self
        }
    }

    async fn call(&self, function: &str, text: Option<String>) -> Result<SocketOutcome, Error> {
        let On::Socket(handle) = &functions::named(function).expect("the table has the function").on else {
            panic!("`{function}` answers no WebSocket")
        };
        handle(&self.plane, self.event(text)).await
    }

    /// The event that API Gateway gives a function.
    pub fn event(&self, text: Option<String>) -> SocketEvent {
        SocketEvent {
            connection: Connection { id: self.connection.clone(), peer: self.peer, opened_at: self.opened_at },
            at: self.plane.now(),
            is_of_page: false,
            time: Duration::from_secs(26),
            text,
        }
    }

    /// Sends a request, and waits until its function is done.
    pub async fn send(&mut self, command: &str, arguments: Value) -> Result<SocketOutcome, Error> {
        self.last_seq += 1;
        let request = json!({"type": "request", "seq": self.last_seq, "command": command, "arguments": arguments});
        self.frame(&request.to_string()).await
    }

    /// Sends any frame.
    pub async fn frame(&self, text: &str) -> Result<SocketOutcome, Error> {
        self.call("socket_receive", Some(text.to_owned())).await
    }

    /// Asks, and gives the answer.
    pub async fn ask(&mut self, command: &str, arguments: Value) -> Reply {
        self.send(command, arguments).await.expect("a frame is answered");
        self.reply()
    }

    /// The answer that came; events before it are passed over.
    #[track_caller]
    pub fn reply(&mut self) -> Reply {
        while let Some(frame) = self.sent() {
            if frame["type"] == "response" {
                return Reply(frame);
            }
        }
        panic!("no answer came");
    }

    /// The events that came, name and body each; answers are passed over.
    pub fn events(&mut self) -> Vec<(String, Value)> {
        let mut events = Vec::new();
        while let Some(frame) = self.sent() {
            if let Some(name) = frame["event"].as_str() {
                events.push((name.to_owned(), frame["body"].clone()));
            }
        }
        events
    }

    /// What came next, if anything did.
    pub fn sent(&mut self) -> Option<Value> {
        let text = self.gateway.open().get_mut(&self.connection)?.pop_front()?;
        Some(serde_json::from_str(&text).expect("what is sent is JSON"))
    }

    pub fn is_open(&self) -> bool {
        self.gateway.open().contains_key(&self.connection)
    }

    /// Goes without a close frame: no function is called.
    pub fn vanish(&self) {
        self.gateway.open().remove(&self.connection);
    }

    /// Closes the connection.
    pub async fn leave(&self) {
        self.vanish();
        self.call("socket_close", None).await.expect("it is forgotten");
    }
}

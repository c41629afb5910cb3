//! An object of a task on its way, as the caller that sends it holds it.

use crate::error::Error;
use bytes::Bytes;
use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use serde_json::{Map, Value as Tree};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tidemill_engine::{Event, Sender};
use tokio::task::JoinHandle;

/// An object that was accepted and is arriving.
#[derive(Debug)]
pub struct Pipe {
    /// Unique among all objects of all tasks: 48 random bits, which every client's numbers hold exactly.
    pub number: u64,
    /// The public id of its task, for lists and events.
    pub task_id: String,
    pub(super) messages: UnboundedReceiver<Event>,
    pub(super) sender: Sender,
    pub(super) arrival: Arc<Arrival>,
    pub(super) ending: Ending,
}

/// How much of an object has come in.
#[derive(Debug, Default)]
pub(super) struct Arrival {
    bytes: AtomicU64,
    is_whole: AtomicBool,
}

/// An object that is whole and is still worked on.
#[derive(Debug)]
pub struct Ending(pub(super) JoinHandle<Result<Sent, Error>>);

/// What became of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    pub name: String,
    pub object_id: String,
    /// Keys and `result_types`, as the response components made them.
    pub result: Map<String, Tree>,
    /// Why it did not go through.
    pub error: Option<String>,
}

impl Arrival {
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub fn is_whole(&self) -> bool {
        self.is_whole.load(Ordering::Relaxed)
    }
}

impl Pipe {
    /// Hands over a part, as soon as there is room for it. What is sent after the object failed is dropped: its end has
    /// the reason.
    pub async fn write(&self, part: Bytes) {
        self.arrival.bytes.fetch_add(part.len() as u64, Ordering::Relaxed);
        // The run ended early; `close` has the reason.
        let _ = self.sender.send(part).await;
    }

    /// The messages of components for the object's sender, since they were taken last.
    pub fn messages(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.messages.try_recv().ok()).collect()
    }

    /// Closes the object, which is whole, and hands each message on until it has ended.
    pub async fn close_hearing(mut self, mut hear: impl FnMut(Event)) -> Result<Sent, Error> {
        let mut messages = std::mem::replace(&mut self.messages, unbounded().1);
        let ending = self.end().await;
        // Its worker holds the other end until it is done.
        while let Some(message) = messages.next().await {
            hear(message);
        }
        ending.sent().await
    }

    /// Closes the object, which is whole.
    pub async fn end(self) -> Ending {
        self.arrival.is_whole.store(true, Ordering::Relaxed);
        // As in `write`.
        let _ = self.sender.end().await;
        self.ending
    }

    /// Closes the object, which is whole, and waits for what became of it.
    pub async fn close(self) -> Result<Sent, Error> {
        self.end().await.sent().await
    }
}

impl Ending {
    /// Waits for what became of the object.
    pub async fn sent(self) -> Result<Sent, Error> {
        self.0.await.map_err(Error::internal)?
    }
}

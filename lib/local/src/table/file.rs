//! A plane's table, in its file: one thread has the database, and answers one request after the other.
//!
//! Requests are read and answers written down on the threads of those who ask. An answer cannot be lost on its way, so
//! a transaction's token, by which DynamoDB knows one that is sent again, is not kept.

use super::health::Health;
use super::operation::{self, Answer, Work};
use super::{asked, config, response, worded};
use aws_sdk_dynamodb::Client;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use dynoxide::DynoxideError;
use dynoxide::storage::Storage;
use std::sync::{Arc, mpsc};
use std::thread;
use tokio::sync::oneshot;

/// A table in a file. The file is closed when the last client is gone.
#[derive(Clone)]
pub struct Table(Arc<Thread>);

/// The thread that has the database, and the way to it.
struct Thread {
    /// `None` once it is to end.
    requests: Option<mpsc::Sender<Request>>,
    handle: Option<thread::JoinHandle<()>>,
}

impl Drop for Thread {
    /// Waits until the file is closed.
    fn drop(&mut self) {
        self.requests = None;
        // Its panic was reported as it happened.
        let _ = self.handle.take().map(thread::JoinHandle::join);
    }
}

struct Request {
    is_write: bool,
    work: Work,
    answer: oneshot::Sender<Result<Answer, DynoxideError>>,
}

impl Table {
    /// Opens the file, or makes it.
    pub fn open(path: &str) -> Result<Table, DynoxideError> {
        let storage = Storage::new(path)?;
        let (requests, waiting) = mpsc::channel();
        let handle = thread::Builder::new()
            .name("table".into())
            .spawn(move || serve(&storage, waiting))
            .map_err(|error| DynoxideError::InternalServerError(error.to_string()))?;
        Ok(Table(Arc::new(Thread { requests: Some(requests), handle: Some(handle) })))
    }

    pub fn client(&self) -> Client {
        let connector = SharedHttpConnector::new(self.clone());
        Client::from_conf(config(http_client_fn(move |_, _| connector.clone())).build())
    }

    /// Hands a request to the table's thread and waits for its answer.
    async fn ask(&self, is_write: bool, work: Work) -> Result<Result<Answer, DynoxideError>, Gone> {
        let (answer, answered) = oneshot::channel();
        let requests = self.0.requests.as_ref().ok_or(Gone)?;
        requests.send(Request { is_write, work, answer }).map_err(|_| Gone)?;
        answered.await.map_err(|_| Gone)
    }
}

/// Answers requests until nobody can send one any more.
fn serve(storage: &Storage, requests: mpsc::Receiver<Request>) {
    let mut health = Health::default();
    for request in requests {
        let answered = (request.work)(storage);
        health.follow(request.is_write, &answered);
        // Who asked may be gone by now.
        let _ = request.answer.send(answered);
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the table's thread has ended")]
struct Gone;

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Table")
    }
}

impl HttpConnector for Table {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let table = self.clone();
        HttpConnectorFuture::new(async move {
            let (operation, body) = asked(&request);
            let answered = match operation::in_file(operation, body) {
                Ok(work) => table.ask(operation::is_write(operation), work).await,
                Err(error) => Ok(Err(error)),
            };
            let answered = answered.map_err(|gone| ConnectorError::other(gone.into(), None))?;
            let (status, json) = worded(answered.and_then(|answer| answer()));
            response(status, json)
        })
    }
}

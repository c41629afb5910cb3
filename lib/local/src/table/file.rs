//! A plane's table, in its file: one thread has the database, and carries out one request after the other. Answers go out by
//! [`syncs`](super::syncs), when the disk has what they show.
//!
//! Requests are read and answers written down on the threads of those who ask. An answer cannot be lost on its way, so
//! a transaction's token, by which DynamoDB knows one that is sent again, is not kept.

use super::health::Health;
use super::operation::{self, Answer, Work};
use super::syncs::Syncs;
use super::{asked, config, response, worded};
use aws_sdk_dynamodb::Client;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use dynoxide::DynoxideError;
use dynoxide::storage::Storage;
use std::fs::File;
use std::io;
use std::sync::{Arc, mpsc};
use std::thread;
use tokio::sync::oneshot;

/// Pages that stay in memory, as far as they are used: 64 MB.
const PAGE_CACHE_KIB: i64 = 64 * 1024;

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
        storage.conn().pragma_update(None, "cache_size", -PAGE_CACHE_KIB)?;
        match log(&storage)? {
            Some(log) => {
                storage.conn().pragma_update(None, "synchronous", "NORMAL")?;
                Table::start(storage, move || log.sync_data())
            }
            // Each transaction syncs for itself.
            None => Table::start(storage, || Ok(())),
        }
    }

    /// Starts the thread; `sync` returns when all that was written to the log before is on the disk.
    fn start(storage: Storage, sync: impl FnMut() -> io::Result<()> + Send + 'static) -> Result<Table, DynoxideError> {
        let failed = |error: io::Error| DynoxideError::InternalServerError(error.to_string());
        let syncs = Syncs::start(sync).map_err(failed)?;
        let (requests, waiting) = mpsc::channel();
        let handle = thread::Builder::new().name("table".into()).spawn(move || serve(&storage, &waiting, syncs));
        Ok(Table(Arc::new(Thread { requests: Some(requests), handle: Some(handle.map_err(failed)?) })))
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

/// The log that transactions are written to, beside the table's file. `None` on a file system where SQLite cannot keep one.
fn log(storage: &Storage) -> Result<Option<File>, DynoxideError> {
    let journal: String = storage.conn().pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    let Some(path) = storage.conn().path().filter(|_| journal == "wal") else { return Ok(None) };
    // It is one file for as long as the database is open: SQLite begins it anew by writing over it.
    let log = File::open(format!("{path}-wal"));
    log.map(Some).map_err(|error| DynoxideError::InternalServerError(format!("the table's log: {error}")))
}

/// Carries out requests until the last client is gone, or the disk failed.
fn serve(storage: &Storage, requests: &mpsc::Receiver<Request>, mut syncs: Syncs) {
    let (mut health, mut others) = (Health::default(), Others::default());
    for request in requests {
        let answered = (request.work)(storage);
        health.follow(request.is_write, &answered);
        // A write that failed may have done a part of what was asked.
        if others.have_written(storage) || request.is_write {
            syncs.changed();
        }
        let answer = request.answer;
        // Who asked may be gone by now.
        if syncs.deliver(move || drop(answer.send(answered))).is_err() {
            return;
        }
    }
}

/// The commits of other processes, such as a command that makes a key beside a running plane.
#[derive(Default)]
struct Others {
    /// A number of SQLite that changes with each of them. <https://www.sqlite.org/pragma.html#pragma_data_version>
    version: Option<i64>,
}

impl Others {
    /// Whether there was one since the last look.
    fn have_written(&mut self, storage: &Storage) -> bool {
        let version = storage.conn().prepare_cached("PRAGMA data_version");
        let version = version.and_then(|mut version| version.query_row([], |row| row.get(0))).ok();
        let before = std::mem::replace(&mut self.version, version);
        before != version || version.is_none()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::TABLE;
    use aws_sdk_dynamodb::error::DisplayErrorContext;
    use aws_sdk_dynamodb::types::{
        AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
    };
    use futures::future::join_all;
    use std::path::{Path, PathBuf};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tempfile::TempDir;

    /// A table in a new folder, whose syncs do something of the test's.
    async fn table(folder: &TempDir, sync: impl FnMut() -> io::Result<()> + Send + 'static) -> Client {
        let table = open(&file(folder), sync);
        let client = table.client();
        let made = client
            .create_table()
            .table_name(TABLE)
            .billing_mode(BillingMode::PayPerRequest)
            .set_key_schema(Some([("pk", KeyType::Hash), ("sk", KeyType::Range)].map(key).to_vec()))
            .set_attribute_definitions(Some(["pk", "sk"].map(attribute).to_vec()));
        made.send().await.expect("it can be made");
        client
    }

    fn key((name, kind): (&str, KeyType)) -> KeySchemaElement {
        KeySchemaElement::builder().attribute_name(name).key_type(kind).build().expect("all is set")
    }

    fn attribute(name: &str) -> AttributeDefinition {
        let definition = AttributeDefinition::builder().attribute_name(name);
        definition.attribute_type(ScalarAttributeType::S).build().expect("all is set")
    }

    fn open(path: &Path, sync: impl FnMut() -> io::Result<()> + Send + 'static) -> Table {
        let storage = Storage::new(path.to_str().expect("it is UTF-8")).expect("it can be opened");
        storage.conn().pragma_update(None, "synchronous", "NORMAL").expect("it can be set");
        Table::start(storage, sync).expect("threads can be started")
    }

    fn file(folder: &TempDir) -> PathBuf {
        folder.path().join("table.db")
    }

    fn folder() -> TempDir {
        tempfile::tempdir().expect("a folder can be made")
    }

    async fn put(client: &Client, name: usize) {
        let put = client.put_item().table_name(TABLE).item("pk", text(name)).item("sk", text(0));
        put.send().await.expect("it is written");
    }

    async fn is_there(client: &Client, name: usize) -> bool {
        let get = client.get_item().table_name(TABLE).key("pk", text(name)).key("sk", text(0)).consistent_read(true);
        get.send().await.expect("it is read").item.is_some()
    }

    fn text(number: usize) -> AttributeValue {
        AttributeValue::S(number.to_string())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_answered_is_in_the_files_as_the_last_sync_left_them() {
        let (here, image) = (folder(), folder());
        let (from, to) = (file(&here), file(&image));
        let client = table(&here, move || {
            // All that a crash of the machine leaves.
            std::fs::copy(&from, &to)?;
            std::fs::copy(from.with_extension("db-wal"), to.with_extension("db-wal")).map(drop)
        })
        .await;

        join_all((0..64).map(|name| put(&client, name))).await;

        let left = open(&file(&image), || Ok(())).client();
        for name in 0..64 {
            assert!(is_there(&left, name).await, "{name} was answered and is lost");
        }
    }

    #[tokio::test]
    async fn a_read_waits_for_a_sync_of_what_another_process_wrote() {
        let (here, syncs) = (folder(), Arc::new(AtomicUsize::new(0)));
        let counted = syncs.clone();
        let client = table(&here, move || {
            counted.fetch_add(1, Ordering::Relaxed);
            Ok(())
        })
        .await;
        put(&client, 1).await;
        let other = open(&file(&here), || Ok(())).client();
        let before = syncs.load(Ordering::Relaxed);
        assert!(is_there(&client, 1).await);
        assert_eq!(syncs.load(Ordering::Relaxed), before, "its own write is on the disk");

        put(&other, 2).await;

        assert!(is_there(&client, 2).await);
        assert_eq!(syncs.load(Ordering::Relaxed), before + 1);
    }

    #[tokio::test]
    async fn a_table_whose_disk_failed_answers_nothing_any_more() {
        let here = folder();
        let client = table(&here, || Ok(())).await;
        put(&client, 1).await;
        drop(client);
        let broken = open(&file(&here), || Err(io::Error::other("the disk is gone"))).client();

        for _ in 0..2 {
            let read = broken.get_item().table_name(TABLE).key("pk", text(1)).key("sk", text(0)).send().await;
            let error = DisplayErrorContext(read.expect_err("there is no answer")).to_string();
            assert!(error.contains("has ended"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_file_is_closed_when_its_last_client_is_gone() {
        let here = folder();
        let client = table(&here, || Ok(())).await;
        put(&client, 1).await;

        drop(client);

        assert!(!file(&here).with_extension("db-wal").exists(), "the log is in the table's file");
    }
}

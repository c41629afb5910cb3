//! DynamoDB in the process:
//!
//! `dynoxide` on SQLite behind the real AWS SDK. Requests of the SDK are handed over as they are, without a socket: an
//! open port would let every user of the machine past the keys.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Builder, Credentials, Region};
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::http::{HttpConnectorFuture, SharedHttpClient, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tidemill_store::{DAMAGED, DISK_FULL};

/// The name of the table in an embedded database.
pub const TABLE: &str = "tidemill";

/// A client of an embedded database.
pub fn client(database: &Database) -> Client {
    Client::from_conf(config(http_client(database)).build())
}

/// The client's configuration over some transport, for those who put something between.
pub fn config(transport: SharedHttpClient) -> Builder {
    aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("local"))
        .credentials_provider(Credentials::new("local", "local", None, None, "embedded"))
        .endpoint_url("http://table.invalid")
        .http_client(transport)
}

/// The transport that leads into the database.
pub fn http_client(database: &Database) -> SharedHttpClient {
    let connector = SharedHttpConnector::new(Embedded {
        database: database.clone(),
        is_full: Arc::default(),
        is_damaged: Arc::default(),
    });
    http_client_fn(move |_, _| connector.clone())
}

#[derive(Clone)]
struct Embedded {
    database: Database,
    /// Whether the last write found no room.
    is_full: Arc<AtomicBool>,
    /// Whether something could not be read.
    is_damaged: Arc<AtomicBool>,
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Embedded")
    }
}

impl HttpConnector for Embedded {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let table = self.clone();
        HttpConnectorFuture::new(async move {
            // SQLite waits for the disk.
            let answered = tokio::task::spawn_blocking(move || table.answer(&request)).await;
            answered.map_err(|error| ConnectorError::other(error.into(), None))?
        })
    }
}

impl Embedded {
    fn answer(&self, request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default();
        let answered = dispatch(&self.database, operation, request.body().bytes().unwrap_or_default());
        self.report(operation, &answered);
        let (status, json) = worded(answered);
        response(status, json)
    }

    /// Logs once that the file is damaged or the disk is full, and once that the disk has room again.
    fn report(&self, operation: &str, answered: &Result<String, DynoxideError>) {
        let is_read = matches!(operation, "GetItem" | "Scan" | "Query" | "BatchGetItem");
        match answered {
            Err(error) if is_damaged(error) && !self.is_damaged.swap(true, Ordering::Relaxed) => {
                tracing::error!("the table's file is damaged; stop the plane, and restore it from a backup");
            }
            Err(error) if is_full(error) && !self.is_full.swap(true, Ordering::Relaxed) => {
                tracing::error!("the disk is full; make room for the data folder: ticks and runs wait for it");
            }
            Ok(_) if !is_read && self.is_full.swap(false, Ordering::Relaxed) => {
                tracing::info!("the disk has room again");
            }
            _ => {}
        }
    }
}

/// Answers an operation at once, on the thread of the caller: for those who put a transport of their own before a database in memory.
pub fn answer(database: &Database, operation: &str, body: &[u8]) -> (u16, String) {
    worded(dispatch(database, operation, body))
}

/// A response of the table, as the SDK reads it.
pub fn response(status: u16, json: String) -> Result<HttpResponse, ConnectorError> {
    let status = status.try_into().map_err(|_| ConnectorError::user("not a status code".into()))?;
    let mut response = HttpResponse::new(status, SdkBody::from(json));
    response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
    Ok(response)
}

/// The status and the body of an answer.
fn worded(answered: Result<String, DynoxideError>) -> (u16, String) {
    match answered {
        Ok(json) => (200, json),
        Err(error) if is_full(&error) => {
            (400, serde_json::json!({"__type": DISK_FULL, "message": "the disk is full"}).to_string())
        }
        Err(error) if is_damaged(&error) => {
            (400, serde_json::json!({"__type": DAMAGED, "message": "the table's file is damaged"}).to_string())
        }
        Err(error) => (error.status_code(), error.to_json()),
    }
}

/// SQLite's own words, which are all that is left of its code here. <https://www.sqlite.org/rescode.html#full>
fn is_full(error: &DynoxideError) -> bool {
    error.status_code() == 500 && error.to_string().contains("disk is full")
}

/// A page that was torn by a crash of the machine, or by what else writes there. <https://www.sqlite.org/rescode.html#corrupt>
fn is_damaged(error: &DynoxideError) -> bool {
    error.status_code() == 500
        && ["is malformed", "is not a database"].iter().any(|words| error.to_string().contains(words))
}

/// The operations that the store uses.
fn dispatch(database: &Database, operation: &str, body: &[u8]) -> Result<String, DynoxideError> {
    match operation {
        "GetItem" => with(body, |request| database.get_item(request)),
        "PutItem" => with(body, |request| database.put_item(request)),
        "DeleteItem" => with(body, |request| database.delete_item(request)),
        "UpdateItem" => with(body, |request| database.update_item(request)),
        "Scan" => with(body, |request| database.scan(request)),
        "Query" => with(body, |request| database.query(request)),
        "BatchGetItem" => with(body, |request| database.batch_get_item(request)),
        "BatchWriteItem" => with(body, |request| database.batch_write_item(request)),
        "TransactWriteItems" => with(body, |request| database.transact_write_items(request)),
        "CreateTable" => with(body, |request| database.create_table(request)),
        "DescribeTimeToLive" => with(body, |request| database.describe_time_to_live(request)),
        "UpdateTimeToLive" => with(body, |request| database.update_time_to_live(request)),
        other => Err(DynoxideError::ValidationException(format!("`{other}` is not used by the store"))),
    }
}

fn with<Q: DeserializeOwned, A: Serialize>(
    body: &[u8],
    run: impl FnOnce(Q) -> Result<A, DynoxideError>,
) -> Result<String, DynoxideError> {
    let invalid = |error: serde_json::Error| DynoxideError::ValidationException(error.to_string());
    let request = serde_json::from_slice(body).map_err(invalid)?;
    serde_json::to_string(&run(request)?).map_err(invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_and_a_damaged_file_are_told_from_other_failures() {
        let failed = |text: &str| DynoxideError::InternalServerError(text.to_owned());

        assert!(is_full(&failed("backend: database or disk is full")));
        assert!(is_damaged(&failed("backend: database disk image is malformed")));
        assert!(is_damaged(&failed("backend: file is not a database")));
        assert!(
            !is_full(&failed("backend: database is locked")) && !is_damaged(&failed("backend: database is locked"))
        );
        assert!(!is_full(&DynoxideError::ValidationException("the disk is full".to_owned())));
    }
}

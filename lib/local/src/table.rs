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
    let connector = SharedHttpConnector::new(Embedded(database.clone()));
    http_client_fn(move |_, _| connector.clone())
}

#[derive(Clone)]
struct Embedded(Database);

impl std::fmt::Debug for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Embedded")
    }
}

impl HttpConnector for Embedded {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let database = self.0.clone();
        HttpConnectorFuture::new(async move {
            // SQLite waits for the disk.
            let answered = tokio::task::spawn_blocking(move || answer(&database, &request)).await;
            answered.map_err(|error| ConnectorError::other(error.into(), None))?
        })
    }
}

fn answer(database: &Database, request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let target = request.headers().get("x-amz-target").unwrap_or_default();
    let operation = target.rsplit('.').next().unwrap_or_default();
    let body = request.body().bytes().unwrap_or_default();
    let (status, json) = match dispatch(database, operation, body) {
        Ok(json) => (200, json),
        Err(error) => (error.status_code(), error.to_json()),
    };
    let status = status.try_into().map_err(|_| ConnectorError::user("not a status code".into()))?;
    let mut response = HttpResponse::new(status, SdkBody::from(json));
    response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
    Ok(response)
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

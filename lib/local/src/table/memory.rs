//! A database in memory, for tests. A call runs on a thread of its own, so that what is asked at once meets as it does in the cloud.

use super::{asked, config, operation, response, worded};
use aws_sdk_dynamodb::Client;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use dynoxide::Database;

/// A client of the database.
pub fn client(database: &Database) -> Client {
    Client::from_conf(config(http_client(database)).build())
}

/// The transport that leads into the database.
pub fn http_client(database: &Database) -> SharedHttpClient {
    let connector = SharedHttpConnector::new(Memory(database.clone()));
    http_client_fn(move |_, _| connector.clone())
}

/// Answers an operation at once, with a status and a body: for those who put a transport of their own before the database.
pub fn answer(database: &Database, operation: &str, body: &[u8]) -> (u16, String) {
    worded(operation::in_memory(database, operation, body))
}

struct Memory(Database);

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Memory")
    }
}

impl HttpConnector for Memory {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let database = self.0.clone();
        HttpConnectorFuture::new(async move {
            let answered = tokio::task::spawn_blocking(move || {
                let (operation, body) = asked(&request);
                answer(&database, operation, body)
            });
            let (status, json) = answered.await.map_err(|error| ConnectorError::other(error.into(), None))?;
            response(status, json)
        })
    }
}

//! DynamoDB in the process:
//!
//! `dynoxide` on SQLite behind the real AWS SDK. Requests of the SDK are handed over as they are, without a socket: an
//! open port would let every user of the machine past the keys.
//!
//! [`Table`] is a plane's table, in its file. [`client`], [`http_client`] and [`answer`] lead into a database in memory, for tests.

mod file;
mod health;
mod memory;
mod operation;
mod syncs;

pub use file::Table;
pub use memory::{answer, client, http_client};

use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Builder, Region, StalledStreamProtectionConfig};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use dynoxide::DynoxideError;
use tidemill_store::{DAMAGED, DISK_FULL};

/// The name of the table in an embedded database.
pub const TABLE: &str = "tidemill";

/// The client's configuration over some transport, for those who put something between.
pub fn config(transport: SharedHttpClient) -> Builder {
    aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("local"))
        // Nothing is signed, and nothing stalls on the way into the process itself.
        .allow_no_auth()
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .endpoint_url("http://table.invalid")
        .http_client(transport)
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
        Err(error) if health::is_full(&error) => {
            (400, serde_json::json!({"__type": DISK_FULL, "message": "the disk is full"}).to_string())
        }
        Err(error) if health::is_damaged(&error) => {
            (400, serde_json::json!({"__type": DAMAGED, "message": "the table's file is damaged"}).to_string())
        }
        Err(error) => (error.status_code(), error.to_json()),
    }
}

/// The operation that a request of the SDK names, and its body.
fn asked(request: &HttpRequest) -> (&str, &[u8]) {
    let target = request.headers().get("x-amz-target").unwrap_or_default();
    (target.rsplit('.').next().unwrap_or_default(), request.body().bytes().unwrap_or_default())
}

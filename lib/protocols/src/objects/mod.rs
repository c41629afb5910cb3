//! Objects in the bodies of requests: the whole body is one ([`raw`]), or each field of a form ([`form`]). They are sent on
//! as they arrive, so a large one is never held in memory.

mod disposition;
mod form;
mod parts;

pub use form::Form;

use crate::rest::Arriving;
use bytes::Bytes;
use futures::Stream;
use http::HeaderMap;
use parts::Parts;
use serde_json::{Map, Value};
use std::sync::Arc;
use tidemill_operations::task::{
    self,
    pipe::{Ending, Sent},
    send::Object,
};
use tidemill_operations::{Call, Error, Plane};

/// The media type of what its sender did not describe.
const BYTES: &str = "application/octet-stream";

/// Sends a request's body as one object.
pub async fn raw(
    plane: &Arc<Plane>,
    call: &Call,
    token: &str,
    headers: &HeaderMap,
    body: Arriving,
) -> Result<Sent, Error> {
    send(plane, call, token, described(headers), body).await?.sent().await
}

/// What the headers of a request say of its body.
fn described(headers: &HeaderMap) -> Object {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    Object {
        name: text(http::header::CONTENT_DISPOSITION).and_then(disposition::file_name),
        mime: text(http::header::CONTENT_TYPE).unwrap_or(BYTES).to_owned(),
        size: text(http::header::CONTENT_LENGTH).and_then(|length| length.parse().ok()),
        provider: None,
    }
}

/// Sends an object until it is whole. One whose arrival fails is dropped, and so fails.
async fn send(
    plane: &Arc<Plane>,
    call: &Call,
    token: &str,
    object: Object,
    body: impl Stream<Item = Result<Bytes, Error>> + Unpin,
) -> Result<Ending, Error> {
    let pipe = task::send::open(plane, call, token, object).await?;
    let mut parts = Parts::new(body);
    while let Some(part) = parts.next().await? {
        pipe.write(part).await;
    }
    Ok(pipe.end().await)
}

/// What became of an object, as RocketRide's clients know it.
pub fn result(sent: Sent) -> Map<String, Value> {
    let Sent { name, object_id, result, error } = sent;
    let mut shown = Map::new();
    shown.insert("name".into(), name.into());
    shown.insert("path".into(), "".into());
    shown.insert("objectId".into(), object_id.into());
    shown.extend(result);
    if let Some(error) = error {
        shown.insert("error".into(), error.into());
    }
    shown
}

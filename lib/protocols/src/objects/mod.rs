//! Objects in the bodies of requests: the whole body is one ([`raw`]), or each field of a form ([`form`]). They are sent on
//! as they arrive, so a large one is never held in memory.

mod disposition;
mod encoding;
mod form;
mod hooked;
mod parts;

pub use encoding::decoded;
pub use form::Form;
pub use hooked::hooked;

use crate::rest::{Arriving, arrived};
use bytes::Bytes;
use futures::stream::{Stream, StreamExt, iter};
use http::HeaderMap;
use parts::Parts;
use serde_json::{Map, Value};
use std::num::NonZeroU64;
use std::sync::Arc;
use tidemill_operations::task::{
    self,
    pipe::{Ending, Sent},
    send::Object,
};
use tidemill_operations::{Call, EngineInput, Error, Plane, body};

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
    let (object, body) = as_meant(headers, body).await?;
    send(plane, call, token, object, body).await?.sent().await
}

/// An object as its sender meant it: a body that fits in one part and is a form, JSON, or of no type or another charset,
/// is read as a webhook's is. What cannot be read so goes on as it came.
async fn as_meant(headers: &HeaderMap, body: Arriving) -> Result<(Object, Arriving), Error> {
    let object = described(headers);
    let declared = headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if declared.is_some_and(|declared| !body::is_unclear(declared)) {
        return Ok((object, body));
    }
    let mut parts = Parts::new(body);
    let first = parts.next().await?.unwrap_or_default();
    let rest = parts.next().await?;
    if rest.is_none()
        && let Ok(EngineInput { mime, body, .. }) = body::read(declared, first.clone())
    {
        return Ok((Object { mime, size: NonZeroU64::new(body.len() as u64), ..object }, arrived(body)));
    }
    Ok((object, iter([Some(first), rest].into_iter().flatten().map(Ok)).chain(parts.rest()).boxed()))
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

//! What a caller hands to a run: a hook's body, a manual `--input`, a question. It is there as a whole, or arrives part
//! by part while the run works ([`Live`]).

use crate::component::Fault;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value as Tree, json};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;
use tidemill_model::lane::Lane;
use tokio::sync::{Mutex, mpsc};

/// Parts that wait for the plan to take them; a sender of more has to wait.
pub const PARTS: usize = 2;
/// How long the next part of an object may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of an object whose lane takes it as a whole.
pub(crate) const OBJECT_LIMIT: usize = 6_000_000;

/// One object from a caller.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// The media type; `lane/<name>` chooses the lane.
    pub mime: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(serialize_with = "write_body", deserialize_with = "read_body")]
    pub body: Bytes,
    /// The lane that the caller asks for, before any rule about the media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane: Option<Lane>,
    /// Facts about the request that components see in `$object`, e.g. `method`, `headers`, `query`. An object or null.
    #[serde(default, skip_serializing_if = "Tree::is_null")]
    pub meta: Tree,
    /// The further objects of the same request: the other parts of a form. They have no more of their own, and their
    /// `meta` adds to the first one's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more: Vec<Input>,
}

impl Input {
    pub fn new(mime: impl Into<String>, body: impl Into<Bytes>) -> Input {
        Input { mime: mime.into(), name: None, body: body.into(), lane: None, meta: Tree::Null, more: Vec::new() }
    }

    /// The media type without parameters, in lower case.
    pub(crate) fn media_type(&self) -> String {
        crate::body::essence(&self.mime)
    }

    /// One of its objects, from 0, with all that it knows of the request.
    pub(crate) fn object(&self, number: usize) -> Option<Cow<'_, Input>> {
        let Some(further) = number.checked_sub(1) else { return Some(Cow::Borrowed(self)) };
        let mut object = self.more.get(further)?.clone();
        if let (Tree::Object(first), Tree::Object(own)) = (&self.meta, &object.meta) {
            object.meta =
                Tree::Object(first.iter().chain(own).map(|(name, fact)| (name.clone(), fact.clone())).collect());
        }
        Some(Cow::Owned(object))
    }

    /// The bytes of all its objects.
    pub fn size(&self) -> usize {
        self.body.len() + self.more.iter().map(Input::size).sum::<usize>()
    }
}

/// The object that a run gets from its caller, if any.
#[derive(Clone, Debug, Default)]
pub enum RunInput {
    #[default]
    Nothing,
    Whole(Input),
    Live(Live),
}

/// An object that arrives part by part. It is described at its start, so the lane is chosen before the first part.
#[derive(Clone, Debug)]
pub struct Live {
    /// The object without its body.
    pub head: Input,
    /// Distinguishes it from the other objects of the same run.
    pub id: String,
    parts: Arc<Mutex<mpsc::Receiver<Part>>>,
}

/// Hands over the parts of an object, and says when it is whole. If it is dropped before, the object failed.
#[derive(Debug)]
pub struct Sender(mpsc::Sender<Part>);

#[derive(Debug)]
enum Part {
    Bytes(Bytes),
    End,
}

/// What came next of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arriving {
    Part(Bytes),
    /// All of it has come.
    Whole,
    /// The rest does not come any more.
    Lost,
}

/// The run ended before it took all of the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunEnded;

impl Live {
    pub fn new(head: Input, id: impl Into<String>) -> (Sender, Live) {
        let (sender, parts) = mpsc::channel(PARTS);
        (Sender(sender), Live { head, id: id.into(), parts: Arc::new(Mutex::new(parts)) })
    }

    /// The next part as it came, for a host that passes the object on; the one that takes it in the end has the patience.
    pub async fn part(&self) -> Arriving {
        match self.parts.lock().await.recv().await {
            Some(Part::Bytes(bytes)) => Arriving::Part(bytes),
            Some(Part::End) => Arriving::Whole,
            None => Arriving::Lost,
        }
    }

    /// The next part, or `None` at the object's end.
    pub(crate) async fn next(&self) -> Result<Option<Bytes>, Fault> {
        let mut parts = self.parts.lock().await;
        match tokio::time::timeout(PATIENCE, parts.recv()).await {
            Ok(Some(Part::Bytes(bytes))) => Ok(Some(bytes)),
            Ok(Some(Part::End)) => Ok(None),
            Ok(None) => Err(Fault::new("the connection was lost before the object was whole").hint("send it again")),
            Err(_) => Err(Fault::new(format!("no part of the object arrived for {} s", PATIENCE.as_secs()))
                .hint("send it again without a pause")),
        }
    }

    /// All parts together.
    pub(crate) async fn whole(&self) -> Result<Bytes, Fault> {
        let mut all = Vec::new();
        while let Some(part) = self.next().await? {
            if all.len() + part.len() > OBJECT_LIMIT {
                return Err(Fault::new(format!(
                    "the object is larger than {OBJECT_LIMIT} bytes, the limit of an object"
                ))
                .hint("send it as `text/…`, which is taken part by part, or cut it into several objects"));
            }
            all.extend_from_slice(&part);
        }
        Ok(all.into())
    }
}

impl Sender {
    /// Hands over a part, as soon as there is room for it.
    pub async fn send(&self, bytes: Bytes) -> Result<(), RunEnded> {
        self.0.send(Part::Bytes(bytes)).await.map_err(|_| RunEnded)
    }

    /// Says that the object is whole.
    pub async fn end(self) -> Result<(), RunEnded> {
        self.0.send(Part::End).await.map_err(|_| RunEnded)
    }
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Text as a string; anything else as `{"base64": …}`.
fn write_body<S: Serializer>(body: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    match std::str::from_utf8(body) {
        Ok(text) => serializer.serialize_str(text),
        Err(_) => json!({ "base64": base64(body) }).serialize(serializer),
    }
}

fn read_body<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Body {
        Text(String),
        Binary { base64: String },
    }
    match Body::deserialize(deserializer)? {
        Body::Text(text) => Ok(text.into()),
        Body::Binary { base64 } => {
            let bytes = from_base64(&base64).ok_or_else(|| serde::de::Error::custom("the body is not base64"))?;
            Ok(bytes.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_readable_and_bytes_survive() {
        for (body, shown) in [(&b"hi \"you\""[..], r#""body":"hi \"you\"""#), (&[0xff, 0x00][..], r#""base64":"/wA=""#)]
        {
            let input = Input::new("application/octet-stream", body.to_vec());

            let saved = serde_json::to_string(&input).unwrap();

            assert!(saved.contains(shown), "{saved}");
            assert_eq!(serde_json::from_str::<Input>(&saved).unwrap(), input);
        }
    }
}

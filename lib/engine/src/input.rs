//! What a caller hands to a run: a hook's body, a manual `--input`, a question.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value as Tree, json};
use tidemill_model::lane::Lane;

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
}

impl Input {
    pub fn new(mime: impl Into<String>, body: impl Into<Bytes>) -> Input {
        Input { mime: mime.into(), name: None, body: body.into(), lane: None, meta: Tree::Null }
    }

    /// The media type without parameters, in lower case.
    pub(crate) fn media_type(&self) -> String {
        self.mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
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

//! What travels between components: text, JSON or bytes, and how one becomes the other where a lane asks for it.

use crate::component::Fault;
use crate::json::{self, Json};
use bytes::Bytes;
use serde_json::{Value as Tree, json};
use std::borrow::Cow;
use std::sync::Arc;
use tidemill_model::lane::Lane;

/// One value on a lane. Cheap to clone, because a value may leave along several edges.
#[derive(Clone, Debug)]
pub enum Value {
    Text(Arc<str>),
    Json(Json),
    Bytes { mime: Arc<str>, bytes: Bytes },
}

impl Value {
    pub fn text(text: impl Into<Arc<str>>) -> Value {
        Value::Text(text.into())
    }

    /// The value as the lane wants it: structured lanes parse text, textual lanes write JSON.
    pub fn on(self, lane: Lane) -> Result<Value, Fault> {
        match (lane, self) {
            (Lane::Documents | Lane::Classifications | Lane::ClassificationContext, value) => value.into_json(lane),
            (Lane::Text | Lane::Table | Lane::Words, Value::Json(json)) => {
                Ok(Value::Text(json::to_text(&json)?.into()))
            }
            (Lane::Text | Lane::Table | Lane::Words, value @ Value::Bytes { .. }) => {
                Ok(Value::Text(value.as_text()?.into()))
            }
            (_, value) => Ok(value),
        }
    }

    fn into_json(self, lane: Lane) -> Result<Value, Fault> {
        if let Value::Json(_) = self {
            return Ok(self);
        }
        let text = self.as_text()?;
        let json = json::parse(text.as_bytes()).map_err(|problem| {
            Fault::new(format!("text on the lane `{lane}` is not JSON: {problem}"))
                .hint("send JSON, or use the lane `text`")
        })?;
        Ok(Value::Json(json))
    }

    /// The value as text: JSON is written compactly, except that a JSON string is the text itself.
    pub fn as_text(&self) -> Result<Cow<'_, str>, Fault> {
        match self {
            Value::Text(text) => Ok(Cow::Borrowed(text)),
            Value::Json(json) => Ok(Cow::Owned(json::to_text(json)?)),
            Value::Bytes { mime, bytes } => std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| {
                Fault::new(format!("a value of type `{mime}` is not UTF-8 text"))
                    .hint("connect it to a component that takes bytes")
            }),
        }
    }

    /// The value as the `.` of a jq program: text is a string, bytes that are not text are null.
    pub fn as_json(&self) -> Json {
        match self {
            Value::Json(json) => json.clone(),
            Value::Text(text) => json::string(text),
            Value::Bytes { bytes, .. } => std::str::from_utf8(bytes).map_or(Json::Null, json::string),
        }
    }

    /// The value as the body of a request or a file: bytes as they are, the rest as text.
    pub fn to_bytes(&self) -> Result<Bytes, Fault> {
        match self {
            Value::Bytes { bytes, .. } => Ok(bytes.clone()),
            value => Ok(Bytes::from(value.as_text()?.into_owned())),
        }
    }

    /// The form in a checkpoint.
    pub(crate) fn save(&self) -> Result<Tree, Fault> {
        Ok(match self {
            Value::Text(text) => json!({ "text": &**text }),
            // As text, so that every digit of a long number survives.
            Value::Json(json) => json!({ "json": json::to_compact(json)? }),
            Value::Bytes { mime, bytes } => json!({ "mime": &**mime, "base64": crate::input::base64(bytes) }),
        })
    }

    pub(crate) fn restore(saved: &Tree) -> Option<Value> {
        if let Some(text) = saved.get("text") {
            return Some(Value::text(text.as_str()?));
        }
        if let Some(text) = saved.get("json") {
            return json::reread(text.as_str()?).map(Value::Json);
        }
        let bytes = crate::input::from_base64(saved.get("base64")?.as_str()?)?;
        Some(Value::Bytes { mime: saved.get("mime")?.as_str()?.into(), bytes: bytes.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Value {
        Value::Json(json::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn a_document_becomes_compact_text_and_a_string_becomes_itself() {
        assert_eq!(
            document(r#"{"b": 1, "a": [true]}"#).on(Lane::Text).unwrap().as_text().unwrap(),
            r#"{"b":1,"a":[true]}"#
        );
        assert_eq!(document(r#""plain""#).on(Lane::Text).unwrap().as_text().unwrap(), "plain");
    }

    #[test]
    fn text_that_is_not_json_cannot_become_a_document() {
        let fault = Value::text("hello").on(Lane::Documents).unwrap_err();

        assert!(fault.message.contains("lane `documents` is not JSON"), "{}", fault.message);
    }

    #[test]
    fn every_kind_survives_a_checkpoint() {
        for value in [
            Value::text("ä\n"),
            document(r#"{"big":123456789012345678901234567890,"f":1.10}"#),
            Value::Bytes { mime: "image/png".into(), bytes: Bytes::from_static(&[0, 159, 146, 150]) },
        ] {
            let restored = Value::restore(&value.save().unwrap()).unwrap();

            assert_eq!(format!("{restored:?}"), format!("{value:?}"));
        }
    }
}

//! What the response components collect: the body that a caller gets, in the shape of RocketRide's close
//! (contract: keys, and `result_types` from key to lane).

use crate::component::Fault;
use crate::input::base64;
use crate::json;
use crate::value::Value;
use serde_json::{Map, Value as Tree, json};
use tidemill_model::lane::Lane;

/// Lambda's limit for an answer, less a little for what the protocols wrap around it.
pub(crate) const RESULT_LIMIT: usize = 6_000_000;

/// The result so far.
#[derive(Default)]
pub struct Results {
    keys: Map<String, Tree>,
    types: Map<String, Tree>,
    bytes: usize,
}

impl Results {
    /// Adds a value under a key.
    pub fn write(&mut self, key: &str, lane: Lane, value: &Value) -> Result<(), Fault> {
        let entry = entry(lane, value)?;
        self.bytes += match &entry {
            Tree::String(text) => text.len() + 2,
            other => other.to_string().len() + 1,
        };
        if self.bytes > RESULT_LIMIT {
            return Err(Fault::new(format!("the result is larger than {RESULT_LIMIT} bytes, the limit of a result"))
                .hint("write large output with `file_sink` or `http_request`"));
        }
        self.types.insert(key.to_owned(), lane.as_str().into());
        let list = self.keys.entry(key).or_insert_with(|| Tree::Array(Vec::new()));
        let list = list.as_array_mut().expect("every key holds a list");
        match (lane, list.first_mut(), entry) {
            // The text lane is one string: each write's text followed by two newlines.
            (Lane::Text, Some(Tree::String(all)), Tree::String(text)) => {
                all.push_str(&text);
                all.push_str("\n\n");
            }
            (Lane::Text, _, Tree::String(text)) => list.push(format!("{text}\n\n").into()),
            (_, _, entry) => list.push(entry),
        }
        Ok(())
    }

    /// The body: empty if nothing was written.
    pub(crate) fn body(&self) -> Tree {
        let mut body = self.keys.clone();
        if !self.types.is_empty() {
            body.insert("result_types".to_owned(), Tree::Object(self.types.clone()));
        }
        Tree::Object(body)
    }

    pub(crate) fn save(&self) -> Tree {
        json!({ "keys": self.keys, "types": self.types, "bytes": self.bytes })
    }

    pub(crate) fn restore(saved: &Tree) -> Option<Results> {
        Some(Results {
            keys: saved.get("keys")?.as_object()?.clone(),
            types: saved.get("types")?.as_object()?.clone(),
            bytes: saved.get("bytes")?.as_u64()? as usize,
        })
    }
}

fn entry(lane: Lane, value: &Value) -> Result<Tree, Fault> {
    Ok(match (lane, value) {
        (Lane::Text | Lane::Table, value) => value.as_text()?.into_owned().into(),
        (Lane::Image, Value::Bytes { mime, bytes }) => json!({ "mime_type": &**mime, "image": base64(bytes) }),
        (Lane::Audio | Lane::Video, Value::Bytes { mime, bytes }) => json!({
            "url": format!("data:{mime};base64,{}", base64(bytes)),
            "mimeType": &**mime,
            "size": bytes.len(),
        }),
        (Lane::Questions, Value::Text(text)) => json!({ "text": &**text }),
        (_, Value::Json(json)) => json::to_tree(json)?,
        (_, value) => value.as_text()?.into_owned().into(),
    })
}

//! What the response components collect: the body that a caller gets, in the shape of RocketRide's close
//! (contract: keys, and `result_types` from key to lane).

use crate::component::Fault;
use crate::input::base64;
use crate::json::{self, Json};
use crate::masks::Masks;
use crate::value::Value;
use serde_json::{Map, Value as Tree, json};
use tidemill_model::lane::Lane;

/// Lambda's limit for an answer, less a little for what the protocols wrap around it.
pub(crate) const RESULT_LIMIT: usize = 6_000_000;

/// The result so far.
#[derive(Default)]
pub struct Results {
    keys: Vec<Key>,
    bytes: usize,
}

/// What was written under one key.
struct Key {
    name: String,
    lane: Lane,
    entries: Vec<Entry>,
}

/// Values stay as the engine has them, so that long numbers keep their digits.
enum Entry {
    Text(String),
    Json(Json),
}

impl Results {
    /// Adds a value under a key.
    pub fn write(&mut self, key: &str, lane: Lane, value: &Value) -> Result<(), Fault> {
        let entry = entry(lane, value)?;
        self.bytes += match &entry {
            Entry::Text(text) => text.len() + 2,
            Entry::Json(json) => json::to_compact(json)?.len() + 1,
        };
        if self.bytes > RESULT_LIMIT {
            return Err(Fault::new(format!("the result is larger than {RESULT_LIMIT} bytes, the limit of a result"))
                .hint("write large output with `file_sink` or `http_request`"));
        }
        let place = self.keys.iter().position(|one| one.name == key).unwrap_or_else(|| {
            self.keys.push(Key { name: key.to_owned(), lane, entries: Vec::new() });
            self.keys.len() - 1
        });
        let Key { lane: last, entries, .. } = &mut self.keys[place];
        *last = lane;
        match (lane, entries.first_mut(), entry) {
            // The text lane is one string: each write's text followed by two newlines.
            (Lane::Text, Some(Entry::Text(all)), Entry::Text(text)) => {
                all.push_str(&text);
                all.push_str("\n\n");
            }
            (Lane::Text, _, Entry::Text(text)) => entries.push(Entry::Text(format!("{text}\n\n"))),
            (_, _, entry) => entries.push(entry),
        }
        Ok(())
    }

    /// The body as JSON text, without secrets; `{}` if nothing was written.
    pub(crate) fn body(&self, masks: &Masks) -> Result<String, Fault> {
        let mut fields: Vec<(&str, Json)> =
            self.keys.iter().map(|key| (key.name.as_str(), key.entries.iter().map(Entry::json).collect())).collect();
        if !fields.is_empty() {
            let types = self.keys.iter().map(|key| (key.name.as_str(), json::string(key.lane.as_str())));
            fields.push(("result_types", json::object(types)));
        }
        json::to_compact(&masks.apply_json(&json::object(fields)))
    }

    pub(crate) fn save(&self) -> Result<Tree, Fault> {
        let list = |key: &Key| json::to_compact(&key.entries.iter().map(Entry::json).collect::<Json>());
        let keys = self.keys.iter().map(|key| Ok(json!([key.name, key.lane, list(key)?])));
        Ok(json!({ "keys": keys.collect::<Result<Vec<_>, Fault>>()?, "bytes": self.bytes }))
    }

    pub(crate) fn restore(saved: &Tree) -> Option<Results> {
        let key = |key: &Tree| {
            let Json::Arr(entries) = json::reread(key.get(2)?.as_str()?)? else { return None };
            let lane = Lane::named(key.get(1)?.as_str()?)?;
            Some(Key {
                name: key.get(0)?.as_str()?.to_owned(),
                lane,
                entries: entries.iter().map(|entry| Entry::of(lane, entry)).collect(),
            })
        };
        let keys = match saved.get("keys")? {
            Tree::Object(keys) => earlier(keys, saved.get("types")?)?,
            keys => keys.as_array()?.iter().map(key).collect::<Option<_>>()?,
        };
        Some(Results { keys, bytes: saved.get("bytes")?.as_u64()? as usize })
    }
}

/// Reads what a version wrote that kept results as `serde_json` has them.
fn earlier(keys: &Map<String, Tree>, types: &Tree) -> Option<Vec<Key>> {
    let key = |(name, entries): (&String, &Tree)| {
        let lane = Lane::named(types.get(name)?.as_str()?)?;
        let entries = entries.as_array()?.iter().map(|entry| Entry::of(lane, &json::from_tree(entry))).collect();
        Some(Key { name: name.clone(), lane, entries })
    };
    keys.iter().map(key).collect()
}

impl Entry {
    fn json(&self) -> Json {
        match self {
            Entry::Text(text) => json::string(text),
            Entry::Json(json) => json.clone(),
        }
    }

    fn of(lane: Lane, saved: &Json) -> Entry {
        match (lane, saved) {
            (Lane::Text, Json::TStr(text)) => Entry::Text(String::from_utf8_lossy(text).into_owned()),
            _ => Entry::Json(saved.clone()),
        }
    }
}

fn entry(lane: Lane, value: &Value) -> Result<Entry, Fault> {
    let made = |tree: Tree| Entry::Json(json::from_tree(&tree));
    Ok(match (lane, value) {
        (Lane::Text | Lane::Table, value) => Entry::Text(value.as_text()?.into_owned()),
        (Lane::Image, Value::Bytes { mime, bytes }) => made(json!({ "mime_type": &**mime, "image": base64(bytes) })),
        (Lane::Audio | Lane::Video, Value::Bytes { mime, bytes }) => made(json!({
            "url": format!("data:{mime};base64,{}", base64(bytes)),
            "mimeType": &**mime,
            "size": bytes.len(),
        })),
        (Lane::Questions, Value::Text(text)) => made(json!({ "text": &**text })),
        (_, Value::Json(json)) => Entry::Json(json.clone()),
        (_, value) => Entry::Text(value.as_text()?.into_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(results: &Results) -> String {
        results.body(&Masks::default()).unwrap()
    }

    #[test]
    fn numbers_of_a_result_keep_their_digits_also_over_a_checkpoint() {
        let mut results = Results::default();
        let document = json::parse(br#"{"id":15878708649682983132,"long":123456789012345678901234567890}"#).unwrap();
        results.write("out", Lane::Documents, &Value::Json(document)).unwrap();
        results.write("text", Lane::Text, &Value::text("a")).unwrap();

        let mut restored = Results::restore(&results.save().unwrap()).unwrap();
        restored.write("text", Lane::Text, &Value::text("b")).unwrap();

        assert_eq!(
            body(&restored),
            r#"{"out":[{"id":15878708649682983132,"long":123456789012345678901234567890}],"text":["a\n\nb\n\n"],"result_types":{"out":"documents","text":"text"}}"#
        );
    }

    #[test]
    fn a_checkpoint_of_an_earlier_version_is_read() {
        let saved = json!({ "keys": { "t": ["a\n\n"], "d": [{ "n": 1 }] }, "types": { "t": "text", "d": "documents" }, "bytes": 9 });

        let restored = Results::restore(&saved).unwrap();

        assert_eq!(body(&restored), r#"{"t":["a\n\n"],"d":[{"n":1}],"result_types":{"t":"text","d":"documents"}}"#);
    }
}

//! What `dedupe` and `changed` share: the keys of values, and what the host remembers of each key. It becomes durable together
//! with the checkpoint of the step that changed it, so a step that is redone finds it as it was.

use crate::component::{Call, Fault};
use crate::duration;
use crate::flow::Arrival;
use crate::jq::Program;
use crate::json;
use crate::step::NewKey;
use serde_json::{Value as Tree, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::time::Duration;

/// The keys of one component.
pub struct Memory {
    key: Program,
    expires: Duration,
    /// What the host said about the keys of the batch at hand.
    known: HashMap<String, Option<String>>,
}

impl Memory {
    pub fn new(key: &str, expires: &str) -> Result<Memory, Fault> {
        let key = Program::compile("key", key)?;
        let expires = duration::parse(expires).map_err(|problem| Fault::of_text("expires", problem))?;
        Ok(Memory { key, expires, known: HashMap::new() })
    }

    /// The key of a value, or `None` if its program gives null or nothing.
    pub fn key_of(&self, arrival: &Arrival, call: &Call<'_>) -> Result<Option<String>, Fault> {
        let key = self.key.first(&arrival.value, &arrival.object, call.run)?;
        key.filter(|key| !matches!(key, json::Json::Null)).map(|key| digest(&key)).transpose()
    }

    /// Asks the host about the values that come next.
    pub async fn ask(&mut self, next: &[Arrival], call: &Call<'_>) -> Result<(), Fault> {
        let keys = next.iter().map(|arrival| self.key_of(arrival, call)).collect::<Result<Vec<_>, _>>()?;
        let mut keys: Vec<String> = keys.into_iter().flatten().collect();
        keys.sort();
        keys.dedup();
        let seen = call.run.context.seen.seen(call.id, &keys).await.map_err(|problem| Fault {
            retryable: problem.retryable,
            ..Fault::new(format!("the keys seen before cannot be read: {problem}"))
        })?;
        if seen.len() != keys.len() {
            return Err(Fault::new("the host did not answer for every key"));
        }
        self.known = keys.into_iter().zip(seen).collect();
        Ok(())
    }

    /// What was remembered of a key last, or `None` if it is new or forgotten.
    pub fn last<'a>(&'a self, key: &str, call: &'a Call<'_>) -> Option<&'a str> {
        let pending = call.ledger.new_keys.iter().find(|new| new.key == key && new.component == call.id);
        pending.map(|new| new.value.as_str()).or_else(|| self.known.get(key)?.as_deref())
    }

    pub fn remember(&self, key: String, value: String, call: &mut Call<'_>) {
        let new_keys = &mut call.ledger.new_keys;
        // Once in each step: its keys are saved in one transaction.
        match new_keys.iter_mut().find(|new| new.key == key && new.component == call.id) {
            Some(new) => new.value = value,
            None => new_keys.push(NewKey { component: call.id.to_owned(), key, value, expires: self.expires }),
        }
    }
}

/// A short text that stands for a value.
pub fn digest(value: &json::Json) -> Result<String, Fault> {
    let digest = Sha256::digest(json::to_compact(value)?);
    Ok(digest[..16].iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The schema of the field `expires`.
pub fn expires(description: &str) -> Tree {
    json!({
        "type": "string", "x-tidemill": "duration", "default": "30d",
        "description": format!("{description}: a number and `s`, `m`, `h` or `d`, at most 366 days."),
    })
}

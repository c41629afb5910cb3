//! What `dedupe` and `changed` do: they let a value through unless the same is remembered of its key. It becomes durable together
//! with the checkpoint of the step that changed it, so a step that is redone finds it as it was.

use crate::component::{Call, Component, Fault};
use crate::duration;
use crate::flow::Arrival;
use crate::jq::Program;
use crate::json;
use crate::step::NewKey;
use futures::future::BoxFuture;
use serde_json::{Value as Tree, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::time::Duration;

/// One component, with the keys that it knows.
pub struct Memory {
    key: Program,
    /// What is remembered of a key; `None` if only that it came.
    value: Option<Program>,
    expires: Duration,
    /// What the host said about the keys of the batch at hand.
    known: HashMap<String, Option<String>>,
}

impl Memory {
    pub fn new(key: Program, expires: &str, value: Option<Program>) -> Result<Memory, Fault> {
        let expires = duration::parse(expires).map_err(|problem| Fault::of_text("expires", problem))?;
        Ok(Memory { key, value, expires, known: HashMap::new() })
    }

    /// The key of a value, or `None` if its program gives null or nothing.
    fn key_of(&self, arrival: &Arrival, call: &Call<'_>) -> Result<Option<String>, Fault> {
        let key = self.key.first(&arrival.value, &arrival.object, call.run)?;
        key.filter(|key| !matches!(key, json::Json::Null)).map(|key| digest(&key)).transpose()
    }

    /// What is to be remembered of a value; empty if it is only that it came.
    fn value_of(&self, arrival: &Arrival, call: &Call<'_>) -> Result<String, Fault> {
        let Some(value) = &self.value else { return Ok(String::new()) };
        let value = value.first(&arrival.value, &arrival.object, call.run)?;
        digest(&value.unwrap_or(json::Json::Null))
    }

    /// Asks the host about the values that come next.
    async fn ask(&mut self, next: &[Arrival], call: &Call<'_>) -> Result<(), Fault> {
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
    fn last<'a>(&'a self, key: &str, call: &'a Call<'_>) -> Option<&'a str> {
        let pending = call.ledger.new_keys.iter().find(|new| new.key == key && new.component == call.id);
        pending.map(|new| new.value.as_str()).or_else(|| self.known.get(key)?.as_deref())
    }

    fn remember(&self, key: String, value: String, call: &mut Call<'_>) {
        let new_keys = &mut call.ledger.new_keys;
        // Once in each step: its keys are saved in one transaction.
        match new_keys.iter_mut().find(|new| new.key == key && new.component == call.id) {
            Some(new) => new.value = value,
            None => new_keys.push(NewKey { component: call.id.to_owned(), key, value, expires: self.expires }),
        }
    }

    /// Whether a value goes on. A value without a key does.
    fn lets_through(&self, arrival: &Arrival, call: &mut Call<'_>) -> Result<bool, Fault> {
        let Some(key) = self.key_of(arrival, call)? else { return Ok(true) };
        let value = self.value_of(arrival, call)?;
        if self.last(&key, call) == Some(value.as_str()) {
            return Ok(false);
        }
        self.remember(key, value, call);
        Ok(true)
    }
}

impl Component for Memory {
    fn asks_host(&self) -> bool {
        true
    }

    fn prepare<'a>(&'a mut self, next: &'a [Arrival], call: &'a mut Call<'_>) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(self.ask(next, call))
    }

    fn take<'a>(&'a mut self, arrival: Arrival, call: &'a mut Call<'_>) -> BoxFuture<'a, Result<(), Fault>> {
        let taken = self.lets_through(&arrival, call).and_then(|goes_on| match goes_on {
            true => call.emit(&arrival.object, arrival.value),
            false => {
                call.filtered();
                Ok(())
            }
        });
        Box::pin(std::future::ready(taken))
    }
}

/// A short text that stands for a value.
fn digest(value: &json::Json) -> Result<String, Fault> {
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

//! `dedupe`: lets each key through once, also across runs. A key becomes durable together with the checkpoint of the
//! step that saw it, so a step that is redone sees it as new again.

use super::schema;
use crate::component::{Call, Component, Entry, Fault, Make};
use crate::flow::Arrival;
use crate::jq::Program;
use crate::json;
use crate::step::NewKey;
use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::time::Duration;
use tidemill_model::lane::Lane;
use tidemill_plan::{Class, Provider};

pub fn entry() -> Entry {
    use Lane::*;
    let declaration = Provider {
        name: "dedupe",
        title: "Dedupe",
        description: "Lets a value through, unchanged and on the same lane, unless a value with the same key went \
            through before, in this run or in an earlier one. Keys are forgotten after some time.",
        class: Class::Transform,
        lanes: [Text, Documents, Questions, Answers, Table, Tags].map(|lane| (lane, vec![lane])).to_vec(),
        gives: vec![],
        config: schema(
            [
                (
                    "key",
                    json!({
                        "type": "string", "minLength": 1, "default": ".",
                        "description": "A jq program that gives the key, e.g. `.id`. Without it the whole value is the key.",
                    }),
                ),
                (
                    "expires",
                    json!({
                        "type": "string", "pattern": "^[1-9][0-9]{0,5}[smhd]$", "default": "30d",
                        "description": "How long a key is remembered: a number and `s`, `m`, `h` or `d`, at most 366 days.",
                    }),
                ),
            ],
            &[],
        ),
        local_only: false,
    };
    let make = Make::Component(|setup| {
        let config: Config = setup.config()?;
        Ok(Box::new(Dedupe {
            key: Program::compile("key", &config.key)?,
            expires: duration(&config.expires)?,
            known: HashMap::new(),
        }))
    });
    Entry { declaration, make }
}

#[derive(Deserialize)]
struct Config {
    key: String,
    expires: String,
}

struct Dedupe {
    key: Program,
    expires: Duration,
    /// What the host said about the keys of the batch at hand.
    known: HashMap<String, bool>,
}

impl Dedupe {
    fn key_of(&self, arrival: &Arrival, call: &Call<'_>) -> Result<String, Fault> {
        let key = self.key.first(&arrival.value, &arrival.object, call.run)?.ok_or_else(|| {
            Fault::new(format!("`key` gives nothing for the object `{}`", arrival.object.id))
                .hint("filter such values out before, or add an alternative, e.g. `.id // .url`")
        })?;
        let digest = Sha256::digest(json::to_compact(&key)?);
        Ok(digest[..16].iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl Component for Dedupe {
    fn asks_host(&self) -> bool {
        true
    }

    fn prepare<'a>(&'a mut self, next: &'a [Arrival], call: &'a mut Call<'_>) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            let mut keys = next.iter().map(|arrival| self.key_of(arrival, call)).collect::<Result<Vec<_>, _>>()?;
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
        })
    }

    fn take<'a>(&'a mut self, arrival: Arrival, call: &'a mut Call<'_>) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            let key = self.key_of(&arrival, call)?;
            let is_pending = call.ledger.new_keys.iter().any(|new| new.key == key && new.component == call.id);
            if is_pending || self.known.get(&key).copied().unwrap_or(false) {
                call.filtered();
                return Ok(());
            }
            call.ledger.new_keys.push(NewKey { component: call.id.to_owned(), key, expires: self.expires });
            call.emit(&arrival.object, arrival.value)
        })
    }
}

fn duration(text: &str) -> Result<Duration, Fault> {
    let refuse = || {
        Fault::new(format!("`expires` is `{text}`, which is not a time of at most 366 days"))
            .hint("write a number and `s`, `m`, `h` or `d`, e.g. `30d`")
    };
    let unit = text.chars().last().ok_or_else(refuse)?;
    let number: u64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| refuse())?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(refuse()),
    };
    let total = number.checked_mul(seconds).filter(|total| (1..=366 * 86_400).contains(total)).ok_or_else(refuse)?;
    Ok(Duration::from_secs(total))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::testing::{Bench, nodes};
    use crate::{Budget, Input};

    fn plan() -> tidemill_plan::Plan {
        nodes(&[
            ("webhook", json!({}), "documents"),
            ("json", json!({ "program": ".[]" }), "documents"),
            ("dedupe", json!({ "key": ".id", "expires": "2h" }), "documents"),
            ("response", json!({}), ""),
        ])
    }

    #[tokio::test]
    async fn a_key_passes_once_within_a_run_and_across_runs() {
        let mut bench = Bench::new().input(Input::new("application/json", r#"[{"id":1},{"id":2},{"id":1,"x":0}]"#));

        let first = bench.run(&plan()).await.unwrap();
        bench = bench.input(Input::new("application/json", r#"[{"id":2},{"id":"2"}]"#));
        let second = bench.run(&plan()).await.unwrap();

        assert_eq!(first.result["documents"], json!([{ "id": 1 }, { "id": 2 }]));
        assert_eq!(second.result["documents"], json!([{ "id": "2" }]));
        assert_eq!(first.counted("dedupe_2"), (3, 2, 1, String::new()));
        assert_eq!(first.new_keys[0].expires, Duration::from_secs(7_200));
    }

    #[tokio::test]
    async fn one_object_may_make_more_keys_than_a_step_may_save() {
        let items: Vec<_> = (0..230).map(|id| json!({ "id": id % 200 })).collect();
        let bench = Bench::new().input(Input::new("application/json", serde_json::to_string(&items).unwrap()));
        let budget = Budget { new_keys: 50, ..Budget::default() };

        let end = bench.run_within(&plan(), &budget).await.unwrap();

        assert_eq!(end.result["documents"].as_array().unwrap().len(), 200);
        assert!(end.steps >= 4, "{}", end.steps);
        assert!(end.most_new_keys <= 50);
    }

    #[test]
    fn times_are_read_and_bounded() {
        assert_eq!(duration("90m").unwrap(), Duration::from_secs(5_400));
        for text in ["", "d", "0d", "-1d", "367d", "1w", "1.5h", "99999999999999999999d", "1é"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}

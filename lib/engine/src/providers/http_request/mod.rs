//! `http_request`: sends each value to a URL, and gives the answer on.

mod attempt;

use super::{READABLE, schema};
use crate::component::{Call, Component, Entry, Fault, Make};
use crate::flow::Arrival;
use crate::json::Json;
use crate::templates::Template;
use crate::value::Value;
use attempt::Request;
use bytes::Bytes;
use futures::future::BoxFuture;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Tree, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tidemill_model::lane::Lane;
use tidemill_plan::{Class, Provider};

/// The longest that one attempt may take.
const TIMEOUT_LIMIT: u64 = 30;

pub fn entry() -> Entry {
    use Lane::*;
    let lanes = READABLE.into_iter().chain([Image, Audio, Video]);
    let declaration = Provider {
        name: "http_request",
        title: "HTTP request",
        description: "Sends a request for each value, and gives the answer's body: as text, and as JSON on `documents`. \
            Failed connections and the statuses 408, 425, 429 and 5xx are tried again. A run that is redone may send a \
            request again with the same `Idempotency-Key` header, by which a receiver can recognise a repetition. Only public addresses \
            are reached, unless the plane allows private ones for local work. Redirects are not followed.",
        class: Class::Transform,
        lanes: lanes.map(|lane| (lane, vec![Text, Documents])).collect(),
        gives: vec![],
        config: schema(
            [
                (
                    "url",
                    json!({
                        "type": "string", "minLength": 1, "x-tidemill": "url",
                        "description": "Where to, a template: `https://example.com/items/{{ value.id | urlencode }}`.",
                    }),
                ),
                (
                    "method",
                    json!({
                        "enum": ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"], "default": "POST", "description": "The method.",
                    }),
                ),
                (
                    "headers",
                    json!({
                        "type": "object", "propertyNames": { "x-tidemill": "header" },
                        "additionalProperties": { "type": "string", "x-tidemill": "header_value" }, "default": {},
                        "description": "Headers, each a template. Credentials belong here, as `Bearer ${TOKEN}`.",
                    }),
                ),
                (
                    "body",
                    json!({
                        "type": ["string", "null"], "x-tidemill": "template", "default": null,
                        "description": "The body, a template. Without it the value itself is sent, except with GET, HEAD and DELETE.",
                    }),
                ),
                (
                    "retries",
                    json!({
                        "type": "integer", "minimum": 0, "maximum": 10, "default": 3,
                        "description": "How often a failed attempt is repeated, with growing pauses, for a minute at most.",
                    }),
                ),
                (
                    "timeout",
                    json!({
                        "type": "integer", "minimum": 1, "maximum": TIMEOUT_LIMIT, "default": 15,
                        "description": "Seconds that one attempt may take, with its answer.",
                    }),
                ),
                (
                    "expect",
                    json!({
                        "type": "array", "items": { "type": "integer", "minimum": 100, "maximum": 599 }, "default": [],
                        "description": "The statuses that are a success. Without it, 200 to 299.",
                    }),
                ),
            ],
            &["url"],
        ),
        local_only: false,
    };
    let make = Make::Component(|setup| {
        let config: Config = setup.config()?;
        let headers = config.headers.iter().map(|(name, value)| Ok((name.clone(), setup.template("headers", value)?)));
        Ok(Box::new(Http {
            method: config.method.parse().map_err(|_| Fault::new(format!("method `{}` is unknown", config.method)))?,
            url: setup.template("url", &config.url)?,
            headers: headers.collect::<Result<_, Fault>>()?,
            body: config.body.map(|body| setup.template("body", &body)).transpose()?,
            retries: config.retries,
            timeout: Duration::from_secs(config.timeout.clamp(1, TIMEOUT_LIMIT)),
            expect: config.expect,
            run: setup.run.facts.clone(),
            last: setup.state::<Last>()?.unwrap_or_default(),
        }))
    });
    Entry { declaration, make }
}

#[derive(Deserialize)]
struct Config {
    url: String,
    method: String,
    headers: BTreeMap<String, String>,
    body: Option<String>,
    retries: u32,
    timeout: u64,
    expect: Vec<u16>,
}

struct Http {
    method: Method,
    url: Template,
    headers: Vec<(String, Template)>,
    body: Option<Template>,
    retries: u32,
    timeout: Duration,
    expect: Vec<u16>,
    run: Json,
    last: Last,
}

/// The object that the last request was for, and how many of its values came before: the values of one object need
/// different idempotency keys.
#[derive(Default, Serialize, Deserialize)]
struct Last {
    object: String,
    requests: u64,
}

impl Http {
    async fn send(&mut self, arrival: Arrival, call: &mut Call<'_>) -> Result<(), Fault> {
        let request = self.request(&arrival, call)?;
        if call.run.context.host.outbound.withholds(&request.method) {
            request.show(call);
            call.dropped("the request was not sent, only shown");
            return Ok(());
        }
        let answer = attempt::send(&call.run.context.host.outbound, &request, self.retries, call).await?;
        if call.is_connected(Lane::Text) {
            call.emit_on(Lane::Text, &arrival.object, Value::text(answer.text()))?;
        }
        if call.is_connected(Lane::Documents) && answer.body.is_empty() {
            call.dropped("the answer has no body");
        } else if call.is_connected(Lane::Documents) {
            let document = answer.document().map_err(|problem| {
                Fault::new(format!("the answer of `{}` is not JSON: {problem}", request.host()))
                    .hint("connect the lane `text` instead")
            })?;
            call.emit_on(Lane::Documents, &arrival.object, Value::Json(document))?;
        }
        Ok(())
    }

    fn request(&mut self, arrival: &Arrival, call: &Call<'_>) -> Result<Request, Fault> {
        let (value, object) = (arrival.value.as_json(), arrival.object.as_json());
        let variables = [("value", &value), ("object", &object), ("run", &self.run)];
        let headers = self.headers.iter().map(|(name, template)| Ok((name.clone(), template.render(&variables)?)));
        let headers = headers.collect::<Result<Vec<_>, Fault>>()?;
        let has_body = !matches!(self.method, Method::GET | Method::HEAD | Method::DELETE);
        let body = match &self.body {
            Some(template) => Bytes::from(template.render(&variables)?),
            None if has_body => arrival.value.to_bytes()?,
            None => Bytes::new(),
        };
        let url = self.url.render(&variables)?.trim().to_owned();
        Ok(Request {
            method: self.method.clone(),
            url,
            content_type: content_type(&arrival.value, self.body.is_some(), &body),
            headers,
            body,
            idempotency_key: self.idempotency_key(arrival, call),
            timeout: self.timeout,
            expect: self.expect.clone(),
        })
    }

    fn idempotency_key(&mut self, arrival: &Arrival, call: &Call<'_>) -> String {
        let object = &arrival.object.id;
        if self.last.object != *object {
            self.last = Last { object: object.clone(), requests: 0 };
        }
        self.last.requests += 1;
        let key = format!("{}:{}:{object}", call.run.context.run.run_id, call.id);
        match self.last.requests {
            1 => key,
            number => format!("{key}:{number}"),
        }
    }
}

fn content_type(value: &Value, is_rendered: bool, body: &Bytes) -> Option<String> {
    match value {
        _ if body.is_empty() => None,
        _ if is_rendered && matches!(body[0], b'{' | b'[') => Some("application/json".to_owned()),
        _ if is_rendered => Some("text/plain; charset=utf-8".to_owned()),
        Value::Json(_) => Some("application/json".to_owned()),
        Value::Text(_) => Some("text/plain; charset=utf-8".to_owned()),
        Value::Bytes { mime, .. } => Some(mime.to_string()),
    }
}

impl Component for Http {
    fn take<'a>(&'a mut self, arrival: Arrival, call: &'a mut Call<'_>) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(self.send(arrival, call))
    }

    fn state(&self) -> Tree {
        json!(self.last)
    }
}

#[cfg(test)]
mod tests;
